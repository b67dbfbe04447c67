"""What the house checks share: which files belong to the project, and how a check reports."""
import os
import subprocess
import sys
from pathlib import Path

CODE = (".hpp", ".cpp")
BUILD = ("CMakeLists.txt", ".cmake")
SCRIPTS = (".py", ".sh")


def all_files(root):
    """Paths relative to `root` of every tracked file; of every file outside build folders where there is no git."""
    root = Path(root)
    if (root / ".git").exists():
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=False)
        if listed.returncode == 0:
            names = listed.stdout.decode().split("\0")
            return sorted(name for name in names if name and (root / name).is_file())
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [each for each in folders if not each.startswith(".git") and each != "build"]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def select(root, endings, folders=None):
    """The files with one of `endings`, below one of `folders` where given."""
    chosen = [name for name in all_files(root) if name.endswith(endings)]
    if folders is None:
        return chosen
    return [name for name in chosen if name.startswith(tuple(each + "/" for each in folders))]


def read(root, name):
    return (Path(root) / name).read_text(encoding="utf-8", errors="replace")


def finish(faults, summary):
    """Prints every fault and the summary; ends the check with 1 where there is a fault."""
    for fault in faults:
        print(fault)
    print(("FAIL: " if faults else "ok: ") + summary)
    sys.exit(1 if faults else 0)
