"""Becomes another program, as another user if asked, that ends when its starter ends.

Run by path with `python -I -S`, so it imports the standard library alone:
`launch.py PARENT_PID DEATH_SIGNAL UID GID PROGRAM [ARGUMENT …]`, -1 for "stay who you are".
A separate program, and not a `preexec_fn`, because Python code between fork and exec can deadlock
a process that has threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    """Drop privileges first: changing the user clears the parent-death signal (prctl(2))."""
    parent, death_signal, uid, gid = (int(word) for word in sys.argv[1:5])
    program = sys.argv[5:]
    if gid >= 0:
        os.setgroups([])
        os.setgid(gid)
    if uid >= 0:
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the signal was armed
        sys.exit(1)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
