"""Endpoints of one run, as endpoints.hpp gives them: so that runs do not meet."""
import socket
import tomllib

GIVEN_OUT = set()


def free_port():
    """Each once: the system may well name one again that was just let go."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in GIVEN_OUT:
            GIVEN_OUT.add(port)
            return port


def own_endpoints(config, folder):
    """--set arguments that give every process of the configuration file an endpoint of this run."""
    with open(config, "rb") as file:
        processes = tomllib.load(file)["process"]
    for name, process in processes.items():
        ipc = process["endpoint"].startswith("ipc://")
        value = f"ipc://{folder}/{name}" if ipc else f"tcp://127.0.0.1:{free_port()}"
        yield from ("--set", f"process.{name}.endpoint={value}")
