"""The length of a vector of all-MiniLM-L6-v2, for whoever need not wait for what computes one."""

WIDTH = 384
