"""The servers that the system is meant for, as ordinary processes of this machine."""
