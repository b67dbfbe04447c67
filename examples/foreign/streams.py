"""What arrived, per topic: messages, gaps, checksums, and the digest of the decoded messages."""
import hashlib


class Stream:
    """The messages of one producer on one topic."""

    def __init__(self, first):
        self.next, self.digest, self.messages, self.gaps = first, hashlib.sha256(), 0, 0


class Topics:
    """Every topic; `decoders` turn a payload of a type into text."""

    def __init__(self, decoders):
        self.decoders, self.streams, self.types = decoders, {}, {}

    def baseline(self, producer, topic, number):
        """The producer says which number comes next: after readiness and in its goodbye."""
        stream = self.streams.setdefault((topic, producer), Stream(number))
        self.skip_to(stream, number)

    def skip_to(self, stream, number):
        if number > stream.next:
            stream.gaps += number - stream.next
            stream.next = number

    def add(self, topic, type_name, batch):
        """The messages of a batch. A stream that was never named before begins with number 1."""
        stream = self.streams.setdefault((topic, batch.producer), Stream(1))
        self.types[topic] = type_name
        self.skip_to(stream, batch.first)
        for number, payload in enumerate(batch.payloads(), batch.first):
            if number < stream.next:
                continue  # came before: a link that was made again
            stream.digest.update(self.decoders.text_of(type_name, payload) + b"\n")
            stream.messages += 1
            stream.next = number + 1

    def rows(self):
        """(topic, type, messages, gaps, digest), by topic. The digest covers the streams in the order of their digests."""
        for topic in sorted(self.types):
            streams = [stream for (name, _), stream in self.streams.items() if name == topic and stream.messages + stream.gaps]
            parts = sorted(stream.digest.hexdigest() for stream in streams)
            digest = hashlib.sha256("".join(parts).encode()).hexdigest()
            yield topic, self.types[topic], sum(s.messages for s in streams), sum(s.gaps for s in streams), digest
