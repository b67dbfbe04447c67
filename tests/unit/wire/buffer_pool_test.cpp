#include <amphibus/wire/buffer_pool.hpp>

#include <catch2/catch.hpp>

#include <cstring>
#include <set>
#include <thread>
#include <vector>

using namespace amphibus::wire;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20U;

/// As many buffers of 1 MiB (with their head) as `count` says, all given back.
void fill_and_return(buffer_pool& pool, std::size_t count) {
  std::vector<buffer_reference> out;
  for (std::size_t i = 0; i != count; ++i) out.emplace_back(&pool.take(buffer_pool::capacity_for(mib / 2)));
}

}  // namespace

TEST_CASE("buffer_pool: a buffer has room for what was asked, 64-aligned, at every size around a power of two",
          "[wire]") {
  const auto pool = buffer_pool::make();
  for (const std::size_t size : {0U, 1U, 959U, 960U, 961U, 1984U, 1985U, 65'536U}) {
    const buffer_reference held(&pool->take(size));
    auto& buffer = static_cast<pooled_buffer&>(*held.get());
    INFO(size);
    CHECK(buffer.capacity_bytes() >= size);
    CHECK(buffer.capacity_bytes() == buffer_pool::capacity_for(size));
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
    std::memset(buffer.data(), 1, buffer.capacity_bytes());
    CHECK(&pooled_buffer::of(buffer.data()) == &buffer);
  }
  CHECK(buffer_pool::capacity_for(960) == 960);
  CHECK(buffer_pool::capacity_for(961) == 1984);
  CHECK_THROWS_AS(pool->take((std::size_t{1} << 32U) - 63), std::bad_alloc);
}

TEST_CASE("buffer_pool: what comes back is taken again, from another thread, too", "[wire]") {
  const auto pool = buffer_pool::make();
  pooled_buffer* const first = &pool->take(100);
  std::thread([first] { first->drop_reference(); }).join();
  pooled_buffer* const again = &pool->take(900);
  CHECK(again == first);
  pooled_buffer* const larger = &pool->take(1000);
  CHECK(larger != first);
  again->drop_reference();
  larger->drop_reference();
}

TEST_CASE("buffer_pool: a buffer comes back with its last reference only", "[wire]") {
  const auto pool = buffer_pool::make();
  buffer_reference one(&pool->take(100));
  buffer_reference two = one;
  shared_buffer* const at = one.get();
  one = {};
  CHECK(two.get()->is_unique());
  CHECK(pool->free_bytes() == 0);
  const buffer_reference three = std::move(two);
  CHECK(two.get() == nullptr);  // NOLINT(bugprone-use-after-move): that is the contract
  CHECK(three.get() == at);
  CHECK(pool->free_bytes() == 0);
}

TEST_CASE("buffer_pool: it keeps 16 MiB of what came back, not more", "[wire]") {
  const auto pool = buffer_pool::make();
  fill_and_return(*pool, 15);
  CHECK(pool->free_bytes() == 15 * buffer_pool::capacity_for(mib / 2));
  fill_and_return(*pool, 16);
  CHECK(pool->free_bytes() == 16 * buffer_pool::capacity_for(mib / 2));
  fill_and_return(*pool, 40);
  CHECK(pool->free_bytes() <= 2 * buffer_pool::free_max_bytes);
}

TEST_CASE("buffer_pool: buffers outlive their pool, and are freed by whoever drops them last", "[wire]") {
  auto pool = buffer_pool::make();
  std::vector<buffer_reference> kept;
  for (int i = 0; i != 10; ++i) kept.emplace_back(&pool->take(1000));
  kept.resize(6);
  pool.reset();
  kept.resize(3);
  std::memset(static_cast<pooled_buffer*>(kept[0].get())->data(), 7, 1000);
  std::thread([&kept] { kept.clear(); }).join();
}

TEST_CASE("buffer_pool: threads give back while the owner takes", "[wire]") {
  const auto pool = buffer_pool::make();
  std::vector<std::thread> readers;
  for (int i = 0; i != 4; ++i) {
    std::vector<buffer_reference> some;
    for (int j = 0; j != 500; ++j) {
      auto& buffer = pool->take(64);
      std::memset(buffer.data(), i, 64);
      some.emplace_back(&buffer);
    }
    readers.emplace_back([some = std::move(some), i]() mutable {
      bool same = true;
      for (auto& each : some) same = same && *static_cast<pooled_buffer*>(each.get())->data() == std::byte(i);
      if (same) some.clear();  // else the sum below is wrong
    });
  }
  for (auto& each : readers) each.join();
  CHECK(pool->free_bytes() > 0);
}
