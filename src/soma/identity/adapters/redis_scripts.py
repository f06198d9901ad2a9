"""The scripts that Redis runs as one step, in Lua."""

INCREMENT = """
-- KEYS: the number. ARGV: what to add, and the milliseconds that a new number lives (0: for good).
-- Gives the number as text, since Lua would round it, and nothing where there is none to count.
local begun = redis.call('EXISTS', KEYS[1]) == 0
if type(redis.pcall('INCRBY', KEYS[1], ARGV[1])) == 'table' then return false end
if begun and ARGV[2] ~= '0' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])
"""

HIT = """
-- KEYS: the windows' lists of hits, times in microseconds that never fall. ARGV: for each window its limit
-- and its length in microseconds. Gives for each what remains, and the microseconds until it has room.
local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local room, moments, counts, waits = true, {}, {}, {}

local function at(key, index) return tonumber(redis.call('LINDEX', key, index)) end

for i, key in ipairs(KEYS) do
  local limit, span = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local length = redis.call('LLEN', key)
  local moment = clock
  if length > 0 then
    local last = at(key, -1)
    if last > clock + span then
      -- The clock was set back by more than the window: what stands here lies in the future.
      redis.call('DEL', key)
      length = 0
    else
      moment = math.max(clock, last)
    end
  end
  local low, high, middle = 0, length, 0
  while low < high do
    if at(key, middle) > moment - span then high = middle else low = middle + 1 end
    middle = math.floor((low + high) / 2)
  end
  local count, wait = length - low, 0
  if count >= limit then
    room = false
    wait = at(key, low + count - limit) + span - moment
  end
  if low > 0 then redis.call('LTRIM', key, low, -1) end
  moments[i], counts[i], waits[i] = moment, count, wait
end

local found = {}
for i, key in ipairs(KEYS) do
  if room then
    redis.call('RPUSH', key, string.format('%.0f', moments[i]))
    redis.call('PEXPIRE', key, math.ceil((moments[i] - clock + tonumber(ARGV[2 * i])) / 1000))
    counts[i] = counts[i] + 1
  end
  found[i] = {math.max(tonumber(ARGV[2 * i - 1]) - counts[i], 0), waits[i]}
end
return found
"""
