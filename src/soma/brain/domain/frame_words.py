"""The words by which clauses are read: what leads to a place, what is one, what may stand before a verb."""

PLACES = frozenset(
    """
    airport apartment attic balcony bakery bank bar barn basement bathroom bay beach bedroom bench
    board bookshop border bottom box building cabin cabinet cafe café campus car castle cellar
    centre center chapel church cinema city classroom clinic club coast college concert conference
    corner corridor cottage country countryside court cupboard desert desk dock door drawer driveway
    factory farm fence field flat floor flowerpot forest fridge gallery garage garden gate gym hall
    hallway harbour harbor hill home hospital hostel hotel house island kindergarten kitchen lab
    laboratory lake lane library lobby lounge mall market mosque mountain mountains museum
    neighbourhood neighborhood north office opera orchard park pharmacy pier place platform
    playground pool port porch pub region restaurant river road roof room school sea server shed
    shelf shop shore sofa south square stadium stage station store street studio suburb supermarket
    synagogue table temple terrace theatre theater tower town train university valley van village
    wall warehouse west woods workshop yard zoo
    """.split()
)
"""Heads of phrases that name a place, whatever preposition leads to them."""

NEARNESS = (
    "behind|under|underneath|beside|above|below|near|inside|outside|next to|in front of|opposite|between"
)
"""Prepositions that lead to a place, whatever it is."""

LEADING = "in|at|on|to|from|into|through|around|across|by"
MOVING = frozenset(
    """
    go come move travel fli drive walk run return ride sail hike cycl commut flight trip visit
    journey trek drove bring take send head
    """.split()
)
"""Stems after which "to" and "from" lead to a place."""

DETERMINERS = frozenset(
    """
    a an the my our his her their your its this that these those some any no another
    """.split()
)
AUXILIARIES = frozenset(
    """
    am is are was were be been being have has had do does did will would can could shall should may
    might must not
    """.split()
)
BEING = frozenset("am is are was were be been".split())
ADVERBS = frozenset(
    """
    just also always never often sometimes usually already recently now then still only even almost
    currently finally actually really once twice soon again probably maybe perhaps both all
    """.split()
)
PRONOUNS = frozenset("i we he she they it you".split())
FIRST_PERSON = frozenset("i we".split())
KIN = frozenset(
    """
    mother father mum mom dad sister brother wife husband partner son daughter grandmother
    grandfather grandma grandpa aunt uncle cousin niece nephew friend boss manager colleague
    neighbour neighbor landlord teacher doctor dentist boyfriend girlfriend fiancé fiancée flatmate
    roommate kids children parents
    """.split()
)
"""Who somebody is to the speaker: named so where no name is told."""

LIVING = frozenset(
    """
    dog cat parrot horse puppy kitten rabbit hamster pet baby girl boy child man woman guy name
    person someone
    """.split()
)
"""Who "called" and "named" tell the name of, beside KIN: a project or a band with a name is nobody."""

TITLES = "Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Doctor"
NO_NAMES = frozenset(
    """
    i i'm i've i'll i'd monday tuesday wednesday thursday friday saturday sunday january february
    march april may june july august september october november december english german french
    spanish italian portuguese chinese japanese russian arabic dutch the a an my our his her their
    your this that these those there here it he she they we you what when where who why how yes no
    ok okay hi hello hey thanks please remember note oh wow well and but or so if because for in on
    at to of from with as not then after before while since today yesterday tomorrow last next every
    some all both each another most many
    """.split()
)
"""Words with a capital that name nobody."""

VERBS = frozenset(
    """
    accept add adopt allow agre answer arriv ask avoid bake be becom begin believ book borrow break
    bring build buy bought call cancel carri catch celebr chang check choos clean climb close
    collect come commut complet cook creat cut cycl danc decid deliv deploy describ design die dig
    discov discuss do draw drink drive drop eat enjoy enter explain fall feed feel fill find finish
    fix fli follow forget found get give go graduat grow hate have hear help hide hike hire hold
    hope host hurt improv injur inherit injure invit join keep knit know land laugh lead learn leav
    lend like listen live load lock look lose love make manag marri meet miss move need offer open
    order organ own owe pack paint park pass pay photograph pick plan plant play pour practic
    practis prefer prepar print program promis pull push put quit rais reach read receiv recommend
    remind renov rent repair repli rest retir return ride run sail save say see sell send serv sew
    share ship shop show sign sing sit sleep smoke solv speak spend stand start stay steal stop
    studi support swim take talk teach tell test think throw train translat travel tri turn
    understand us use visit volunt wait wake walk want wash watch water wear weigh win wish work
    worri write
    """.split()
)
"""Stems of verbs as frames know them, for subjects whose end nothing else marks."""

BREAKS = frozenset(
    """
    in at on to from into through around across by with for of about as than because and or but
    while when if so until since after before during without near behind under beside above below
    inside outside over that who which where every each | , ; :
    """.split()
)
"""What ends the phrase of an object."""
