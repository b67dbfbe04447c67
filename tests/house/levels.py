#!/usr/bin/env python3
"""levels.py [ROOT]: every include obeys the levels of docs/architecture.md, and third-party headers stay with their adapter."""
import re
import sys

import tree

# A part of the library is a path prefix; the longest one wins. A part includes itself and parts of lower levels.
LEVEL = {"base": 0, "queue": 1, "wire": 1, "transport": 2, "config": 2, "core": 3, "app": 4, "services": 4, "testing": 5}
PARTS = {
    "include/amphibus/app.hpp": "app",
    "include/amphibus/module.hpp": "app",
    "include/amphibus/": "core",
    "include/amphibus/detail/": "core",
    "src/": "core",
    "src/detail/": "core",
}
for part in ("base", "queue", "wire", "transport", "config", "app", "services", "testing"):
    PARTS[f"include/amphibus/{part}/"] = part
    PARTS[f"src/{part}/"] = part
TRANSPORT_LEVEL = 2  # a transport sees L0 to L2 and itself, nothing else

# Third-party header -> the places that may include it.
ADAPTERS = {
    r"zmq\.h(pp)?$": ("transports/zeromq/", "bench/", "tests/"),
    r"toml\+\+/": ("src/config/",),
    r"flatbuffers/": ("include/amphibus/wire/flatbuffers", "tools/", "tests/unit/wire/", "tests/compile_fail/", "bench/"),
    r"concurrentqueue/": ("src/queue/", "bench/"),
    r"isa-l": ("src/wire/",),
    r"xxhash\.h$": ("src/config/", "tools/"),
    r"CLI/": ("src/app/", "tools/", "bench/", "examples/"),
    r"openssl/": ("examples/",),
    r"benchmark/": ("bench/",),
    r"^(atomic_queue|boost|caf|nats|nng|iceoryx_\w+|readerwriterqueue|sigc\+\+)/": ("bench/rivals/",),
    r"^asio\.hpp$": ("examples/",),
    r"catch2/": ("tests/",),
    r"relacy/": ("tests/model/",),
}
# Headers of C++, C and the system; whatever is neither these, ours nor adapted has no place yet.
SYSTEM = re.compile(
    r"^([a-z0-9_]+|(sys|linux|net|netinet|arpa|bits)/[a-z0-9_/]+\.h|"
    r"(unistd|pthread|poll|fcntl|sched|signal|spawn|syscall|dirent|dlfcn|errno|netdb|cpuid|x86intrin|immintrin|termios|"
    r"getopt|malloc|execinfo|ftw|glob|time|strings|semaphore|mqueue|link|sanitizer/[a-z_]+)\.h)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def part_of(path):
    matching = [prefix for prefix in PARTS if path == prefix or (prefix.endswith("/") and path.startswith(prefix))]
    return PARTS[max(matching, key=len)] if matching else None


def transport_of(path):
    found = re.match(r"transports/([^/]+)/", path)
    return found.group(1) if found else None


def resolve(name, quote, included, known):
    """The project file that an include names, or None."""
    folder = name.rsplit("/", 1)[0]
    if quote == '"':
        candidates = [f"{folder}/{included}", f"src/{included}"]
    else:
        candidates = [f"include/{included}"] + [f"transports/{each}/include/{included}" for each in known["transports"]]
    return next((each for each in candidates if each in known["files"]), None)


def fault_of(name, target):
    """Why `name` must not include the project file `target`; None where it may."""
    own_transport, other_transport = transport_of(name), transport_of(target)
    own, other = part_of(name), part_of(target)
    if other_transport is not None:
        if own is not None:
            return f"the library must not know the transport {other_transport}"
        if own_transport not in (None, other_transport):
            return f"transport {own_transport} must not know transport {other_transport}"
        return None
    if own_transport is not None and other is not None and LEVEL[other] > TRANSPORT_LEVEL:
        return f"a transport sees L0 to L{TRANSPORT_LEVEL}, {other} is L{LEVEL[other]}"
    if own is not None and other is not None and own != other and LEVEL[own] <= LEVEL[other]:
        return f"{own} is L{LEVEL[own]} and must not see {other}, L{LEVEL[other]}"
    if name.startswith("examples/") and ("/detail/" in target or target.startswith("src/")):
        return "an example shows the public interface only"
    return None


def adapter_fault(name, included):
    for header, places in ADAPTERS.items():
        if re.match(header, included):
            allowed = name.startswith(places)
            return None if allowed else f"only {' '.join(places)} may include it"
    if SYSTEM.match(included) or included.endswith(("_generated.h", "_amphibus.h")):
        return None
    return "a header that has no place in tests/house/levels.py yet"


def check_file(root, name, known):
    for number, line in enumerate(tree.read(root, name).splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quote, included = found.groups()
        target = resolve(name, quote, included, known)
        if target is not None:
            why = fault_of(name, target)
        elif quote == "<" and not included.startswith("amphibus/"):
            why = adapter_fault(name, included)
        elif included.startswith("amphibus/"):
            why = "there is no such header"
        else:
            why = None
        if why is not None:
            yield f"{name}:{number}: includes {included}: {why}"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    names = tree.select(root, tree.CODE)
    known = {"files": set(names), "transports": sorted({transport_of(each) for each in names} - {None})}
    faults = [fault for name in names for fault in check_file(root, name, known)]
    tree.finish(faults, f"{len(names)} files, levels L0 to L{max(LEVEL.values())}, {len(known['transports'])} transport(s)")


main()
