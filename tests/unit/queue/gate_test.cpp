#include <amphibus/queue/gate.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

using amphibus::queue::gate;

TEST_CASE("gate: the owner stays outside from exclude() to the last admit()", "[queue]") {
  gate door;
  CHECK(door.enter());
  door.leave();
  door.exclude();
  door.exclude();
  CHECK_FALSE(door.enter());
  door.admit();
  CHECK_FALSE(door.enter());
  door.admit();
  CHECK(door.enter());
  door.leave();
}

// The whole point: plain data that both sides write is never torn. ThreadSanitizer would tell as well.
TEST_CASE("gate: an owner and two strangers never touch the same data at once", "[queue]") {
  gate door;
  std::uint64_t guarded = 0;  // deliberately no atomic
  constexpr int rounds = 200'000;
  constexpr int visits = 200;
  std::thread owner([&] {
    for (int i = 0; i != rounds; ++i) {
      door.enter_waiting();
      ++guarded;
      door.leave();
    }
  });
  std::vector<std::thread> strangers;
  std::atomic<int> turn{0};
  for (int who = 0; who != 2; ++who) {
    strangers.emplace_back([&, who] {
      for (int i = 0; i != visits; ++i) {
        while (turn.load(std::memory_order_acquire) != who) std::this_thread::yield();
        door.exclude();
        ++guarded;
        door.admit();
        turn.store(1 - who, std::memory_order_release);
      }
    });
  }
  owner.join();
  for (auto& each : strangers) each.join();
  CHECK(guarded == rounds + 2 * visits);
}

TEST_CASE("gate: wait_outside() returns when the publish in progress has ended", "[queue]") {
  gate door;
  std::atomic<bool> inside{false};
  std::atomic<bool> left{false};
  std::thread owner([&] {
    door.enter_waiting();
    inside = true;
    for (int i = 0; i != 1000; ++i) std::this_thread::yield();
    left = true;
    door.leave();
  });
  while (!inside) std::this_thread::yield();
  amphibus::base::heavy_barrier();
  door.wait_outside();
  CHECK(left);
  owner.join();
}
