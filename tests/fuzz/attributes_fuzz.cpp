// Key and headers of a message.
#include <amphibus/base/assert.hpp>
#include <amphibus/wire/attributes.hpp>

#include "fuzz.hpp"

using namespace amphibus;
using namespace amphibus::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::copy_of(data, size);
  if (attributes_view::check(bytes) != nullptr || bytes.empty()) return 0;
  const attributes_view view{bytes};
  std::vector<header> headers;
  for (std::size_t i = 0; i != view.header_count(); ++i) {
    headers.push_back(view.header_at(i));
    const auto found = view.find(headers.back().name);
    AMPHIBUS_ASSERT(found.has_value(), "a header that is there is not found");
  }
  byte_writer again;
  AMPHIBUS_ASSERT(attributes_view::append(view.key(), headers, again), "what was read cannot be written");
  AMPHIBUS_ASSERT(std::ranges::equal(again.bytes(), bytes), "what was read is written as other bytes");
  return 0;
}
