#include <amphibus/queue/pool.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>
#include <vector>

using namespace amphibus::queue;

namespace {

struct wide : block_header {
  alignas(64) std::uint64_t words[16];
};

}  // namespace

TEST_CASE("pool: a block that came back is the next one out", "[queue]") {
  block_pool* pool = block_pool::make(sizeof(wide), alignof(wide));
  block_header* const first = pool->take();
  CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
  block_pool::give_back(first);
  CHECK(pool->take() == first);
  block_pool::give_back(first);
  pool->retire();
}

TEST_CASE("pool: the last reference is told apart from the others", "[queue]") {
  block_pool* pool = block_pool::make(sizeof(wide), alignof(wide));
  block_header* const shared = pool->take();
  shared->references.fetch_add(2);
  CHECK_FALSE(release(*shared));
  CHECK_FALSE(release(*shared));
  CHECK(release(*shared));
  block_pool::give_back(shared);
  pool->retire();
}

// Whether memory leaks or is used after its end: AddressSanitizer says so.
TEST_CASE("pool: blocks that are out when the owner retires come back safely, whoever is last", "[queue]") {
  for (int round = 0; round != 200; ++round) {
    block_pool* pool = block_pool::make(sizeof(wide), alignof(wide));
    std::vector<block_header*> out;
    for (int i = 0; i != 8; ++i) out.push_back(pool->take());
    block_pool::give_back(out.back());
    out.pop_back();
    std::thread other([&] {
      for (block_header* each : out) block_pool::give_back(each);
    });
    pool->retire();
    other.join();
  }
  SUCCEED();
}

TEST_CASE("pool: blocks cycle between threads and their number stays what is out at once", "[queue]") {
  block_pool* pool = block_pool::make(sizeof(wide), alignof(wide));
  std::atomic<block_header*> hand{nullptr};
  constexpr int rounds = 50'000;
  std::thread reader([&] {
    for (int i = 0; i != rounds; ++i) {
      block_header* got = nullptr;
      while ((got = hand.exchange(nullptr, std::memory_order_acquire)) == nullptr) std::this_thread::yield();
      block_pool::give_back(got);
    }
  });
  std::vector<block_header*> seen;
  for (int i = 0; i != rounds; ++i) {
    block_header* const next = pool->take();
    if (std::find(seen.begin(), seen.end(), next) == seen.end()) seen.push_back(next);
    block_header* none = nullptr;
    while (!hand.compare_exchange_weak(none, next, std::memory_order_release, std::memory_order_relaxed)) {
      none = nullptr;
      std::this_thread::yield();
    }
  }
  reader.join();
  CHECK(seen.size() <= 3);  // one in the hand, one with the reader, one with us
  pool->retire();
}
