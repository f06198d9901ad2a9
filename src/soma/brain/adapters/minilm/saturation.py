"""Whether a machine multiplies 8 bits by 8 exactly.

On x86 without VNNI two such products saturate when they are added in 16 bits, and the result is silently
wrong. So each graph computes the largest sum of products there can be, and whoever loads it compares.
"""

TERMS = 64
LARGEST_INPUT = 255
LARGEST_WEIGHT = 127
LARGEST_SUM = TERMS * LARGEST_INPUT * LARGEST_WEIGHT
