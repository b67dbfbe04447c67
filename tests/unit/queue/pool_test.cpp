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

TEST_CASE("returning blocks: several come back together, with what they were charged", "[queue]") {
  const auto budget = std::make_shared<byte_budget>(64 * 1024);
  block_pool* pool = block_pool::make(sizeof(wide), alignof(wide), budget);
  const std::vector<block_header*> out{pool->take(), pool->take(), pool->take()};
  budget->credit().charge(300);
  {
    returning_blocks back;
    for (block_header* each : out) back.add(each, 100);
    CHECK(budget->credit().available() == 64 * 1024 - 300);
    CHECK(pool->take_returned() == nullptr);
  }
  CHECK(budget->credit().available() == 64 * 1024);
  for (auto each = out.rbegin(); each != out.rend(); ++each) CHECK(pool->take() == *each);  // the warmest first
  for (block_header* each : out) block_pool::give_back(each);
  pool->retire();
}

TEST_CASE("returning blocks: a sixty-fourth of the memory is not kept from who waits for it", "[queue]") {
  const auto budget = std::make_shared<byte_budget>(64 * 1024);
  block_pool* pool = block_pool::make(sizeof(wide), alignof(wide), budget);
  block_header* const small = pool->take();
  block_header* const large = pool->take();
  budget->credit().charge(1024);
  returning_blocks back;
  back.add(small, 1023);
  CHECK(budget->credit().available() == 63 * 1024);
  back.add(large, 1);
  CHECK(budget->credit().available() == 64 * 1024);
  pool->retire();
}

TEST_CASE("returning blocks: nothing is kept where half of the memory is taken", "[queue]") {
  const auto budget = std::make_shared<byte_budget>(64 * 1024);
  block_pool* pool = block_pool::make(sizeof(wide), alignof(wide), budget);
  block_header* const small = pool->take();
  budget->credit().charge(32 * 1024);
  returning_blocks back;
  back.add(small, 1);
  CHECK(budget->credit().available() == 32 * 1024 + 1);
  pool->retire();
}

// Whether memory leaks or is used after its end: AddressSanitizer says so.
TEST_CASE("returning blocks: each goes to its own pool, which may be retired by then", "[queue]") {
  const auto budget = std::make_shared<byte_budget>(64 * 1024);
  std::vector<block_header*> out;
  for (int i = 0; i != 3; ++i) {
    block_pool* pool = block_pool::make(sizeof(wide), alignof(wide), budget);
    for (int k = 0; k != 3; ++k) out.push_back(pool->take());
    pool->retire();
  }
  budget->credit().charge(9);
  {
    returning_blocks back;
    for (const std::size_t i : {0, 1, 3, 2, 4, 6, 5, 7, 8}) back.add(out[i], 1);
  }
  CHECK(budget->credit().available() == 64 * 1024);
}
