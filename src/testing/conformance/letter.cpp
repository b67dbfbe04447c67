#include "letter.hpp"

#include <algorithm>

namespace amphibus::testing {
namespace {

constexpr std::size_t table_size_bytes = std::size_t{1} << 20U;
constexpr std::size_t offsets = 65'521;  // a prime: neighbouring messages begin far apart

/// Pseudo-random bytes (xorshift64*) that bodies are cut from: comparing against it is a memcmp.
const std::vector<std::byte>& table() {
  static const std::vector<std::byte> bytes = [] {
    std::vector<std::byte> out(table_size_bytes + offsets);
    std::uint64_t state = 0x9e3779b97f4a7c15;
    for (std::byte& each : out) {
      state ^= state >> 12U;
      state ^= state << 25U;
      state ^= state >> 27U;
      each = static_cast<std::byte>((state * 0x2545f4914f6cdd1d) >> 56U);
    }
    return out;
  }();
  return bytes;
}

const std::byte* begin_of(message_name name) {
  return table().data() + (name.writer * std::uint64_t{7919} + name.number * 31) % offsets;
}

std::uint64_t seal_of(const note& what) {
  return (what.number * 0x9e3779b97f4a7c15) ^ (std::uint64_t{what.writer} << 32U) ^ what.hops;
}

}  // namespace

std::vector<std::byte> body_of(message_name name, std::size_t size_bytes) {
  std::vector<std::byte> out;
  out.reserve(size_bytes);
  for (std::size_t left = size_bytes; left != 0;) {
    const std::size_t some = std::min(left, table_size_bytes);
    out.insert(out.end(), begin_of(name), begin_of(name) + some);
    left -= some;
  }
  return out;
}

letter make(message_name name, std::size_t size_bytes, std::uint32_t hops, const letter* /*kind*/) {
  return {name, hops, body_of(name, size_bytes)};
}

note make(message_name name, std::size_t /*size_bytes*/, std::uint32_t hops, const note* /*kind*/) {
  note out{name.number, name.writer, hops, 0};
  out.seal = seal_of(out);
  return out;
}

bool intact(const letter& what) {
  for (std::size_t at = 0; at < what.body.size(); at += table_size_bytes) {
    const std::size_t some = std::min(what.body.size() - at, table_size_bytes);
    if (std::memcmp(what.body.data() + at, begin_of(what.name), some) != 0) return false;
  }
  return true;
}

bool intact(const note& what) { return what.seal == seal_of(what); }

}  // namespace amphibus::testing

namespace amphibus {

namespace {
struct letter_head {
  std::uint64_t number;
  std::uint64_t body_size;  // so that a cut letter is refused
  std::uint32_t writer;
  std::uint32_t hops;
};
}  // namespace

bool codec<testing::letter>::encode(const testing::letter& from, wire::byte_writer& out) {
  const letter_head head{from.name.number, from.body.size(), from.name.writer, from.hops};
  out.append(&head, sizeof head);
  out.append(from.body);
  return true;
}

bool codec<testing::letter>::decode(std::span<const std::byte> bytes, testing::letter& into) {
  letter_head head{};
  if (bytes.size() < sizeof head) return false;
  std::memcpy(&head, bytes.data(), sizeof head);
  const auto body = bytes.subspan(sizeof head);
  if (body.size() != head.body_size) return false;
  into = {{head.writer, head.number}, head.hops, {body.begin(), body.end()}};
  return true;
}

bool codec<testing::note>::encode(const testing::note& from, wire::byte_writer& out) {
  out.append(&from, sizeof from);
  return true;
}

bool codec<testing::note>::decode(std::span<const std::byte> bytes, testing::note& into) {
  if (bytes.size() != sizeof into) return false;
  std::memcpy(&into, bytes.data(), sizeof into);
  return true;
}

}  // namespace amphibus
