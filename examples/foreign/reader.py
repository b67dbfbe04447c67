#!/usr/bin/env python3
"""reader.py --config FILE --process NAME --pattern PATTERN...: takes part in a bus as one process of the file, without
Amphibus: subscribes, checks checksums and numbers, decodes, and prints a digest per topic. Ends when all others have.

Everything it knows of the protocol stands in docs/wire.md, under the names that are used here.
"""
import argparse
import secrets
import sys
import time
import tomllib

try:
    import zmq

    import wire
    from decode import Decoders
    from streams import Topics
except ImportError as missing:
    sys.exit(f"reader.py: {missing}: sudo apt-get install python3-zmq python3-flatbuffers python3-crc32c, "
             "and run it with Debian's own /usr/bin/python3")

PING_AFTER = 3.0  # seconds of our own silence; the others give us up after 10
LOST_AFTER = 10.0


class Peer:
    """One other process of the file, and how far we are with it."""

    def __init__(self, name, endpoint, connects):
        self.name, self.endpoint, self.connects = name, endpoint, connects
        self.dealer = self.routing_id = None
        self.forget()

    def forget(self):
        self.incarnation, self.topics, self.data = 0, {}, []
        self.early = {}  # topic -> batches that came before the topic was announced
        self.synced, self.goodbyes = set(), set()
        self.said_bye = self.over = False
        self.heard = self.sent = time.monotonic()

    def done(self):
        """It said goodbye on the control link and on every data socket: nothing can follow."""
        return self.said_bye and len(self.goodbyes) == len(self.data)


class Process:
    """Our side: a ROUTER, a DEALER to every process before us in the file, an XPUB per route, a SUB per peer and route."""

    def __init__(self, config, name, patterns, topics):
        self.name, self.patterns, self.topics = name, patterns, topics
        self.incarnation = secrets.randbits(64) | 1
        self.revision = 1
        self.crc_failures = 0
        self.said_ready = False
        self.context = zmq.Context()
        own = config["process"][name]["endpoint"]
        self.router = self.socket(zmq.ROUTER)
        self.router.bind(own)
        routes = [each for each in config["route"] if each["transport"] == "zeromq"]
        self.pubs, self.data_endpoints = [], []
        for number, _ in enumerate(routes):
            self.pubs.append(self.socket(zmq.XPUB))
            self.pubs[-1].xpub_verbose = 1  # a marker is to be answered again after a broken connection
            self.data_endpoints.append(bind_data(self.pubs[-1], own, number))
        names = list(config["process"])
        self.peers = [Peer(each, config["process"][each]["endpoint"], names.index(each) < names.index(name))
                      for each in names if each != name]
        self.poller = zmq.Poller()
        for each in [self.router, *self.pubs]:
            self.poller.register(each, zmq.POLLIN)
        for peer in self.peers:
            if peer.connects:
                self.connect(peer)

    def socket(self, kind):
        made = self.context.socket(kind)
        made.linger = 0
        return made

    # Control

    def connect(self, peer):
        if peer.dealer is not None:
            self.close(peer.dealer)
        peer.dealer = self.socket(zmq.DEALER)
        peer.dealer.connect(peer.endpoint)
        self.poller.register(peer.dealer, zmq.POLLIN)
        self.greet(peer)

    def close(self, socket):
        self.poller.unregister(socket)
        socket.close()

    def greet(self, peer):
        self.send(peer, wire.hello(self.incarnation, self.name, self.data_endpoints, self.revision, self.patterns))

    def send(self, peer, message):
        peer.sent = time.monotonic()
        if peer.connects:
            peer.dealer.send(message)
        elif peer.routing_id is not None:
            self.router.send_multipart([peer.routing_id, message])

    def tell(self, peer, kind):
        self.send(peer, wire.control(kind, self.incarnation))

    def receive_router(self):
        frames = self.router.recv_multipart()
        kind, incarnation, fields = wire.read_control(frames[-1])
        for peer in self.peers:
            if not peer.connects and (peer.routing_id == frames[0] or fields.get("process") == peer.name):
                peer.routing_id = frames[0]
                return self.on_control(peer, kind, incarnation, fields)

    def on_control(self, peer, kind, incarnation, fields):
        if kind == wire.REJECT:
            sys.exit(f"reader.py: process {peer.name} refuses us: {fields['text']}")
        if kind == wire.HELLO:
            return self.on_hello(peer, incarnation, fields)
        if incarnation != peer.incarnation:
            return  # of an earlier life
        peer.heard = time.monotonic()
        if kind == wire.UPDATE:
            peer.topics.update(fields["topics"])
            self.take_early(peer)
        elif kind == wire.BYE:
            peer.said_bye = True
            self.end_if_done(peer)

    def on_hello(self, peer, incarnation, fields):
        for each in peer.data:
            self.close(each)
        peer.forget()
        peer.incarnation, peer.topics = incarnation, fields["topics"]
        if not peer.connects:
            self.greet(peer)
        for endpoint in fields["data_endpoints"]:
            peer.data.append(self.subscribe(endpoint))
        if self.said_ready:
            self.tell(peer, wire.READY)

    def subscribe(self, endpoint):
        """First what we want, the marker last: when it is answered, all of it is effective."""
        sub = self.socket(zmq.SUB)
        sub.rcvhwm = 256  # frames of up to 128 KiB and more; the rest waits where it comes from
        sub.connect(endpoint)
        sub.subscribe(wire.GOODBYE_TOPIC)
        for pattern in self.patterns:
            for each in wire.filters_of(pattern):
                sub.subscribe(each)
        sub.subscribe(wire.marker(self.incarnation, self.revision))
        self.poller.register(sub, zmq.POLLIN)
        return sub

    def answer_marker(self, pub):
        """A peer subscribed to its marker on our data socket; we publish nothing, so the answer names no stream."""
        request = pub.recv()
        if request[:1] == b"\x01" and wire.is_marker(request[1:]):
            pub.send_multipart([request[1:], wire.batch(wire.SYNC, self.incarnation)])

    def look_ready(self):
        """Every subscription is confirmed by every peer: say so once."""
        confirmed = all(peer.incarnation and len(peer.synced) == len(peer.data) for peer in self.peers)
        if confirmed and not self.said_ready:
            self.said_ready = True
            for peer in self.peers:
                self.tell(peer, wire.READY)
            print("READY", flush=True)

    def end_if_done(self, peer):
        if peer.done() and not peer.over:
            peer.over = True
            self.tell(peer, wire.BYE_OK)

    # Data

    def receive_data(self, peer, route):
        topic, data = peer.data[route].recv_multipart()
        peer.heard = time.monotonic()
        try:
            batch = wire.Batch(data)
        except wire.CrcError:
            self.crc_failures += 1
            return
        if batch.producer != peer.incarnation:
            return
        if batch.kind == wire.MESSAGES:
            self.on_messages(peer, topic[:-1].decode(), batch)
        elif batch.kind == wire.SYNC and topic == wire.marker(self.incarnation, self.revision):
            self.on_numbers(peer, batch)
            peer.synced.add(route)
            self.look_ready()
        elif batch.kind == wire.GOODBYE:
            self.on_numbers(peer, batch)
            peer.goodbyes.add(route)
            self.end_if_done(peer)

    def wanted(self, topic):
        return any(wire.matches(each, topic) for each in self.patterns)

    def on_numbers(self, peer, batch):
        for topic, number in batch.numbers().items():
            if self.wanted(topic):
                self.topics.baseline(peer.incarnation, topic, number)

    def on_messages(self, peer, topic, batch):
        if not self.wanted(topic):
            return
        if topic not in peer.topics:
            peer.early.setdefault(topic, []).append(batch)
        else:
            self.topics.add(topic, peer.topics[topic][0], batch)

    def take_early(self, peer):
        for topic in [each for each in peer.early if each in peer.topics]:
            for batch in peer.early.pop(topic):
                self.topics.add(topic, peer.topics[topic][0], batch)

    # Time

    def keep_alive(self):
        now = time.monotonic()
        for peer in self.peers:
            silent = now - peer.heard > LOST_AFTER
            if peer.over:
                continue
            if silent and peer.incarnation:
                sys.exit(f"reader.py: process {peer.name} said nothing for {LOST_AFTER:.0f} s: it is dead or stopped")
            if silent and peer.connects:
                peer.heard = now
                self.connect(peer)  # ZeroMQ alone does not always come back
            if peer.incarnation and now - peer.sent > PING_AFTER:
                self.tell(peer, wire.PING)

    def run(self):
        """Until every peer is over."""
        while not all(peer.over for peer in self.peers):
            ready = dict(self.poller.poll(500))
            if self.router in ready:
                self.receive_router()
            for pub in self.pubs:
                if pub in ready:
                    self.answer_marker(pub)
            for peer in self.peers:
                if peer.dealer in ready:
                    self.on_control(peer, *wire.read_control(peer.dealer.recv()))
                for route, sub in enumerate(peer.data):
                    if sub in ready:
                        self.receive_data(peer, route)
            self.keep_alive()

    def leave(self):
        """Our own goodbye, on both links, to whoever is still there; nobody has to wait for us afterwards."""
        for pub in self.pubs:
            pub.send_multipart([wire.GOODBYE_TOPIC, wire.batch(wire.GOODBYE, self.incarnation)])
        for peer in self.peers:
            if peer.incarnation:
                self.tell(peer, wire.BYE)
        self.context.destroy(linger=200)


def bind_data(socket, control, route):
    """Binds the data socket of a route beside the control endpoint, and answers what the others connect to."""
    if control.startswith("ipc://"):
        socket.bind(f"{control}.r{route}")
        return f"{control}.r{route}"
    host = control.rsplit(":", 1)[0]
    return f"{host}:{socket.bind_to_random_port(host, 20_000, 32_000)}"


def read_config(path, overrides):
    with open(path, "rb") as file:
        config = tomllib.load(file)
    for each in overrides:
        key, value = each.split("=", 1)
        section, name, field = key.split(".")
        config[section][name][field] = value
    return config


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--config", required=True, metavar="FILE")
    parser.add_argument("--process", required=True, metavar="NAME")
    parser.add_argument("--set", action="append", default=[], metavar="process.NAME.endpoint=VALUE")
    parser.add_argument("--pattern", action="append", required=True)
    parser.add_argument("--classes", action="append", default=[], metavar="FOLDER", help="what flatc --python made")
    parser.add_argument("--struct", action="append", default=[], metavar="TYPE=LAYOUT", help="e.g. shop.point=ii")
    return parser.parse_args()


def main():
    given = arguments()
    sys.path[:0] = given.classes
    topics = Topics(Decoders(dict(each.split("=", 1) for each in given.struct)))
    process = Process(read_config(given.config, given.set), given.process, given.pattern, topics)
    process.run()
    process.leave()
    faults = process.crc_failures
    for topic, _type, messages, gaps, digest in topics.rows():
        print(f"TOPIC {topic} messages={messages} gaps={gaps} digest={digest}")
        faults += gaps
    print(f"CRC failures={process.crc_failures}", flush=True)
    sys.exit(1 if faults else 0)


main()
