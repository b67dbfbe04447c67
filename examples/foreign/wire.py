"""The wire of Amphibus as docs/wire.md describes it: control messages and batches. Bytes in, values out; no sockets."""
import struct

import crc32c

PROTOCOL = 1
HELLO, UPDATE, READY, PING, BYE, BYE_OK, REJECT = range(7)
MESSAGES, SYNC, GOODBYE = range(3)
GOODBYE_TOPIC = b"\xffgoodbye"
NAME_CHARACTERS = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

CONTROL = struct.Struct("<4sIQ")  # magic, type, incarnation of the sender
CONTROL_MAGIC = b"AMBC"
BATCH = struct.Struct("<4sHHQQQIIII")  # magic, version, kind, producer, first, schema hash, count, body size, CRC, 0
BATCH_MAGIC = b"AMB1"
CRC_AT = 40
FIRST, FULL, FOLLOWING, ATTRIBUTED = range(4)
CONTEXT_SIZE = {FIRST: 16, FULL: 72, FOLLOWING: 0, ATTRIBUTED: 72}


class WireError(Exception):
    """Bytes that are not what the page says."""


class CrcError(WireError):
    """A batch whose checksum is another."""


# Control messages

def text(value):
    encoded = value.encode()
    return struct.pack("<H", len(encoded)) + encoded


def control(kind, incarnation, body=b""):
    return CONTROL.pack(CONTROL_MAGIC, kind, incarnation) + body


def hello(incarnation, process, data_endpoints, revision, patterns):
    """The minimal HELLO: no topics of our own, subscriptions by pattern to every type, no groups, no digest (0)."""
    body = struct.pack("<HH", PROTOCOL, PROTOCOL) + text(process) + struct.pack("<QI", 0, len(data_endpoints))
    body += b"".join(text(each) for each in data_endpoints)
    body += struct.pack("<QI", revision, 0)
    body += struct.pack("<I", len(patterns)) + b"".join(text(each) + text("") + struct.pack("<H", 0) for each in patterns)
    body += struct.pack("<I", 0)  # no groups
    return control(HELLO, incarnation, body)


class Reader:
    """Takes fields off the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout):
        size = struct.calcsize("<" + layout)
        if self.at + size > len(self.data):
            raise WireError("a message ends too early")
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += size
        return values if len(values) > 1 else values[0]

    def text(self):
        size = self.take("H")
        return bytes(self.take(f"{size}s")).decode()

    def topics(self):
        """{topic: (type, schema hash)}"""
        found = {}
        for _ in range(self.take("I")):
            name, _route, type_name = self.text(), self.take("I"), self.text()
            _major, schema_hash, _subscribed = self.take("HQB")
            found[name] = (type_name, schema_hash)
        return found


def read_control(data):
    """(type, incarnation, fields) of a control message."""
    reader = Reader(data)
    magic, kind, incarnation = reader.take("4sIQ")
    if magic != CONTROL_MAGIC:
        raise WireError("not a control message")
    fields = {}
    if kind == HELLO:
        fields["protocols"] = reader.take("HH")
        fields["process"], _digest = reader.text(), reader.take("Q")
        fields["data_endpoints"] = [reader.text() for _ in range(reader.take("I"))]
    if kind in (HELLO, UPDATE):
        fields["revision"], fields["topics"] = reader.take("Q"), reader.topics()
    if kind == REJECT:
        fields["code"], fields["text"] = reader.take("H"), reader.text()
    return kind, incarnation, fields


# Markers

def marker(incarnation, revision):
    return b"\xffm%016x.%d" % (incarnation, revision)


def is_marker(topic):
    return topic.startswith(b"\xffm")


def filters_of(pattern):
    """What a SUB subscribes so that everything reaches it that the pattern covers."""
    literal = []
    for token in pattern.split("."):
        if token in ("*", ">"):
            prefix = ".".join(literal) + "." if literal else ""
            return [prefix.encode()] if prefix else [bytes([each]) for each in NAME_CHARACTERS]
        literal.append(token)
    return [pattern.encode() + b"\0"]


def matches(pattern, topic):
    wanted, given = pattern.split("."), topic.split(".")
    for position, token in enumerate(wanted):
        if token == ">":
            return len(given) > position
        if position >= len(given) or token not in ("*", given[position]):
            return False
    return len(given) == len(wanted)


# Batches

def batch(kind, producer, body=b""):
    """A batch without messages: SYNC or GOODBYE."""
    head = BATCH.pack(BATCH_MAGIC, 1, kind, producer, 0, 0, 0, len(body), 0, 0)
    checksum = struct.pack("<I", crc32c.crc32c(head + body))
    return head[:CRC_AT] + checksum + head[CRC_AT + 4:] + body


class Batch:
    """A batch that arrived, checked: `kind`, `producer`, `first`, `schema_hash`, `count`, `body`."""

    def __init__(self, data):
        if len(data) < BATCH.size:
            raise WireError("a batch shorter than its header")
        magic, version, self.kind, self.producer, self.first, self.schema_hash, self.count, size, crc, _ = \
            BATCH.unpack_from(data)
        if magic != BATCH_MAGIC or version != 1:
            raise WireError("not a batch of version 1")
        if size != len(data) - BATCH.size:
            raise WireError("a batch whose body has another size than its header says")
        without = data[:CRC_AT] + bytes(4) + data[CRC_AT + 4:]
        if crc32c.crc32c(without) != crc:
            raise CrcError("a batch with a wrong CRC-32C")
        self.body = data[BATCH.size:]

    def payloads(self):
        """The payload of each message, in order."""
        at = 0
        for _ in range(self.count):
            if at + 8 > len(self.body):
                raise WireError("a message begins beyond the end of its batch")
            size, kind = struct.unpack_from("<II", self.body, at)
            if kind not in CONTEXT_SIZE:
                raise WireError("an unknown kind of context")
            at += 8 + CONTEXT_SIZE[kind]
            if kind == ATTRIBUTED:
                attributes, _time_left = struct.unpack_from("<II", self.body, at)
                at += 8 + padded(attributes)
            if at + padded(size) > len(self.body):
                raise WireError("a message ends beyond the end of its batch")
            yield self.body[at:at + size]
            at += padded(size)

    def numbers(self):
        """{topic: next number} of a SYNC or GOODBYE."""
        reader, found = Reader(self.body), {}
        while reader.at < len(self.body):
            name = reader.text()
            found[name] = reader.take("Q")
        return found


def padded(size):
    return (size + 7) & ~7
