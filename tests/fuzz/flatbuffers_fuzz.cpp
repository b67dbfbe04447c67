// The border of the FlatBuffers codec: whatever it takes can be sent on and is taken again.
#include <rich_amphibus.h>

#include <amphibus/base/assert.hpp>

#include "fuzz.hpp"

using border = amphibus::codec<rich::EverythingT>;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::copy_of(data, size);
  rich::EverythingT got;
  if (!border::decode(bytes, got)) return 0;
  amphibus::wire::byte_writer said;
  AMPHIBUS_ASSERT(border::encode(got, said), "what was taken cannot be sent on");
  rich::EverythingT again;
  AMPHIBUS_ASSERT(border::decode(said.bytes(), again), "what was sent on is refused");
  AMPHIBUS_ASSERT(again.title == got.title && again.words == got.words && again.id == got.id, "another message");
  return 0;
}
