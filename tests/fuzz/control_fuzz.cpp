// Control messages: as they come, and behind a header that gets them past the door.
#include <amphibus/base/assert.hpp>

#include "control.hpp"
#include "fuzz.hpp"

using namespace amphibus::zeromq;

namespace {

constexpr std::size_t header_size_bytes = 16;
constexpr std::uint32_t magic = 0x43424d41;
constexpr std::uint32_t types = 8;  // one more than there are

/// What is understood is said again in words that are understood the same.
void read(const std::vector<std::byte>& bytes) {
  control_message message;
  if (decode(bytes, message) != nullptr) return;
  const auto said = encode(message);
  control_message again;
  AMPHIBUS_ASSERT(decode(said, again) == nullptr, "what was understood cannot be said");
  AMPHIBUS_ASSERT(encode(again) == said, "what was understood changes when it is said");
  AMPHIBUS_ASSERT(again.body.index() == message.body.index(), "another kind of message");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto bytes = fuzz::copy_of(data, size);
  read(bytes);
  if (bytes.size() < header_size_bytes) return 0;
  fuzz::put(bytes, 0, magic);
  fuzz::put(bytes, 4, static_cast<std::uint32_t>(data[4]) % types);
  read(bytes);
  return 0;
}
