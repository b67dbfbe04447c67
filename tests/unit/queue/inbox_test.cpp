#include <amphibus/queue/inbox.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <thread>

using namespace amphibus::queue;

namespace {

class watched_inbox final : public inbox<std::uint64_t> {
 public:
  using inbox<std::uint64_t>::inbox;
  int activations = 0;

 protected:
  void activated() noexcept override { ++activations; }
};

using box = std::shared_ptr<watched_inbox>;

box make_box(std::int64_t capacity) { return std::make_shared<watched_inbox>(capacity, overflow_rule{}); }

/// Pushes as long as there is room. Returns: how many.
std::uint64_t fill(sender<std::uint64_t>& by) {
  std::uint64_t count = 0;
  while (by.has_room()) by.push(count++);
  return count;
}

}  // namespace

TEST_CASE("inbox: the bound is exact, and what the consumer holds counts", "[queue]") {
  const box in = make_box(100);
  gate door;
  sender<std::uint64_t> by(door, in);
  CHECK(fill(by) == 100);
  std::array<std::uint64_t, 256> out;
  CHECK(in->pop(out.data(), 30) == 30);
  CHECK(fill(by) == 0);
  in->finish(load::of_small(30));
  CHECK(fill(by) == 30);
}

TEST_CASE("inbox: first in, first out per producer", "[queue]") {
  const box in = make_box(1000);
  gate door;
  sender<std::uint64_t> one(door, in);
  sender<std::uint64_t> two(door, in);
  for (std::uint64_t i = 0; i != 300; ++i) {
    REQUIRE((one.has_room() && two.has_room()));
    one.push(i);
    two.push(1'000'000 + i);
  }
  std::array<std::uint64_t, 256> out;
  std::uint64_t next_one = 0;
  std::uint64_t next_two = 1'000'000;
  while (const std::size_t count = in->pop(out.data(), out.size())) {
    for (std::size_t i = 0; i != count; ++i) CHECK(out[i] == (out[i] < 1'000'000 ? next_one++ : next_two++));
    in->finish(load::of_small(count));
  }
  CHECK(next_one + next_two == 1'000'600);
}

TEST_CASE("inbox: the consumer is woken once per sleep", "[queue]") {
  const box in = make_box(10);
  in->announce();
  in->announce();
  CHECK(in->activations == 1);
  in->deactivate();
  in->announce();
  CHECK(in->activations == 2);
  CHECK_FALSE(in->reactivate());
  in->deactivate();
  CHECK(in->reactivate());
}

TEST_CASE("inbox: a producer that left is still counted, and its unused credit is back", "[queue]") {
  const box in = make_box(64);
  gate door;
  {
    sender<std::uint64_t> by(door, in);
    REQUIRE(by.has_room());
    by.push(1);
  }
  CHECK(in->pushed() == 1);
  CHECK(in->finished() == 0);
  CHECK(in->credit().available() == 63);
}

TEST_CASE("inbox: credit that idle producers hoard is found", "[queue]") {
  const box in = make_box(64);
  gate door;
  sender<std::uint64_t> idle(door, in);
  REQUIRE(idle.has_room());  // takes a chunk and uses nothing of it
  gate other_door;
  sender<std::uint64_t> busy(other_door, in);
  const std::uint64_t first = fill(busy);
  CHECK(first < 64);
  CHECK(in->reclaim_idle_credit());
  CHECK(first + fill(busy) == 64);
  CHECK_FALSE(in->reclaim_idle_credit());
}

TEST_CASE("inbox: equal sums of finished and pushed mean that nothing is in flight", "[queue]") {
  const box in = make_box(128);
  gate door;
  constexpr std::uint64_t many = 20'000;
  std::atomic<bool> running{true};
  std::thread consumer([&] {
    std::array<std::uint64_t, 256> out;
    for (std::uint64_t got = 0; got != many;) {
      const std::size_t count = in->pop(out.data(), out.size());
      in->finish(load::of_small(count));
      got += count;
      if (count == 0) std::this_thread::yield();
    }
  });
  bool ahead = false;
  std::thread observer([&] {
    while (running) {
      const std::uint64_t finished = in->finished();
      ahead = ahead || finished > in->pushed();
    }
  });
  {
    sender<std::uint64_t> by(door, in);
    for (std::uint64_t i = 0; i != many; ++i) {
      while (!by.has_room()) std::this_thread::yield();
      by.push(i);
    }
    consumer.join();
  }
  running = false;
  observer.join();
  CHECK_FALSE(ahead);
  CHECK(in->pushed() == many);
  CHECK(in->finished() == many);
}
