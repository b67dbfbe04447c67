// Frames that somebody keeps, and frames that libzmq hands out unaligned.
#include "wired.hpp"

#include <amphibus/wire/shared_buffer.hpp>

#include <catch2/catch.hpp>

#include <thread>

using namespace zeromq_test;

namespace {

/// Looks at the payloads where they are, and keeps those that it is asked to.
class keeper final : public transport::ingress {
 public:
  struct kept_message {
    wire::buffer_reference owner;
    std::span<const std::byte> payload;
    [[nodiscard]] std::uint64_t value() const {
      std::uint64_t out = 0;
      std::memcpy(&out, payload.data(), sizeof out);
      return out;
    }
  };
  std::vector<kept_message> kept;
  std::vector<const std::byte*> seen;
  std::vector<const wire::shared_buffer*> owners;
  bool keeps = false;

  transport::delivery_progress deliver(const wire::received_run& messages) override {
    for (std::size_t i = 0; i != messages.count; ++i) {
      const wire::received_message each = messages[i];
      seen.push_back(each.payload.data());
      owners.push_back(each.owner);
      if (keeps) kept.push_back({wire::buffer_reference(*each.owner), each.payload});
    }
    return {messages.count, transport::delivery::delivered};
  }
};

class keeping_host final : public fake_host {
 public:
  keeper here;
  [[nodiscard]] transport::ingress* find_ingress(const transport::topic_info&) override { return &here; }
};

/// Sends a batch in memory that begins `offset` bytes behind a multiple of 64, which libzmq hands on as it is.
class placed_frame {
 public:
  placed_frame(const std::vector<std::byte>& content, std::size_t offset)
      : size_(content.size()), begin_(room_ + offset) {
    std::memcpy(begin_, content.data(), content.size());
  }
  void send(zmq::socket_t& to) {
    to.send(zmq::const_buffer("a.b\0", 4), zmq::send_flags::sndmore);
    to.send(zmq::message_t(
                begin_, size_, [](void*, void*) {}, nullptr),
            zmq::send_flags::none);
  }
  [[nodiscard]] bool contains(const std::byte* at) const { return at >= begin_ && at < begin_ + size_; }

 private:
  alignas(64) std::byte room_[4'096];
  std::size_t size_;
  std::byte* begin_;
};

}  // namespace

TEST_CASE("inbound: an aligned frame is read where libzmq put it", "[zeromq]") {
  for (const std::size_t offset : {0U, 8U, 56U}) {
    basic_wired<keeping_host> w;
    placed_frame frame(wired::batch(1, 10), offset);
    frame.send(w.pub);
    w.receive_until([&] { return w.host.here.seen.size() == 10; });
    for (const std::byte* each : w.host.here.seen) CHECK(frame.contains(each));
    CHECK(w.in->copied_bytes() == 0);
  }
}

TEST_CASE("inbound: an unaligned frame is copied once, and counted", "[zeromq]") {
  for (const std::size_t offset : {1U, 4U, 7U, 9U}) {
    basic_wired<keeping_host> w;
    const auto batch = wired::batch(1, 10);
    placed_frame frame(batch, offset);
    w.host.here.keeps = true;
    frame.send(w.pub);
    w.receive_until([&] { return w.host.here.seen.size() == 10; });
    CHECK(w.in->copied_bytes() == batch.size());
    for (std::size_t i = 0; i != 10; ++i) {
      CHECK_FALSE(frame.contains(w.host.here.seen[i]));
      CHECK(reinterpret_cast<std::uintptr_t>(w.host.here.seen[i]) % 8 == 0);
      CHECK(w.host.here.kept[i].value() == i + 1);
    }
  }
}

TEST_CASE("inbound: a frame that nobody keeps is used again, one that is kept stays as it is", "[zeromq]") {
  basic_wired<keeping_host> w;
  keeper& got = w.host.here;
  const auto deliver = [&](std::uint64_t sequence) {
    w.send(wired::batch(sequence, 1));
    w.receive_until([&] { return got.seen.size() == sequence; });
  };
  deliver(1);
  deliver(2);
  CHECK(got.owners[0] == got.owners[1]);
  got.keeps = true;
  deliver(3);
  got.keeps = false;
  deliver(4);
  CHECK(got.owners[2] != got.owners[3]);
  CHECK(got.kept[0].value() == 3);
}

TEST_CASE("inbound: what is kept outlives link, socket and context, and ends on another thread", "[zeromq]") {
  std::vector<keeper::kept_message> kept;
  {
    basic_wired<keeping_host> w;
    w.host.here.keeps = true;
    for (std::uint64_t i = 0; i != 50; ++i) w.send(wired::batch(1 + i * 100, 100));
    w.receive_until([&] { return w.host.here.seen.size() == 5'000; });
    kept = std::move(w.host.here.kept);
  }
  for (std::uint64_t i = 0; i != 5'000; ++i) REQUIRE(kept[i].value() == i + 1);
  std::thread([&kept] { kept.clear(); }).join();
}
