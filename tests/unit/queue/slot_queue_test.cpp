#include <amphibus/queue/slot_queue.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstdint>
#include <vector>

using namespace amphibus::queue;

namespace {

template <std::size_t Size>
struct slot {
  std::array<std::uint64_t, Size / 8> words;
  explicit slot(std::uint64_t number = 0) {
    for (std::uint64_t& each : words) each = number++;
  }
  bool operator==(const slot&) const = default;
};

template <std::size_t Size>
void holds_what_was_pushed() {
  slot_queue<Size> queue;
  typename slot_queue<Size>::producer one(queue);
  typename slot_queue<Size>::producer other(queue);
  constexpr std::uint64_t count = 300;  // more than two blocks
  for (std::uint64_t i = 0; i != count; ++i) {
    const slot<Size> first(i);
    const slot<Size> second(1'000 + i);
    one.push(&first);
    other.push(&second);
  }
  std::array<slot<Size>, 7> out;
  CHECK(other.take_back(out.data(), 5) == 5);
  for (std::uint64_t i = 0; i != 5; ++i) CHECK(out[i] == slot<Size>(1'000 + i));
  std::uint64_t next_of_one = 0;
  std::uint64_t next_of_other = 1'005;
  while (const std::size_t some = queue.pop(out.data(), out.size())) {
    for (std::size_t i = 0; i != some; ++i) {
      std::uint64_t& next = out[i].words[0] < 1'000 ? next_of_one : next_of_other;
      CHECK(out[i] == slot<Size>(next++));
    }
  }
  CHECK(next_of_one == count);
  CHECK(next_of_other == 1'000 + count);
  CHECK(one.take_back(out.data(), 1) == 0);
}

}  // namespace

TEST_CASE("slot_queue: slots of every size come out whole, in order and once", "[queue]") {
  holds_what_was_pushed<8>();
  holds_what_was_pushed<16>();
  holds_what_was_pushed<24>();
  holds_what_was_pushed<32>();
  holds_what_was_pushed<40>();
  holds_what_was_pushed<48>();
  holds_what_was_pushed<56>();
  holds_what_was_pushed<64>();
}
