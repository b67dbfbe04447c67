// Batches: as they come, and with the header that gets them past the door (magic, version, body size and CRC).
#include <algorithm>

#include <amphibus/base/assert.hpp>
#include <amphibus/wire/crc32c.hpp>
#include <amphibus/wire/frame.hpp>

#include "fuzz.hpp"

using namespace amphibus;
using namespace amphibus::wire;

namespace {

bool copy_payload(const void* value, byte_writer& out) {
  return out.append(*static_cast<const std::span<const std::byte>*>(value)), true;
}
bool decode_nothing(std::span<const std::byte>, void*) { return true; }
constexpr codec_operations raw{"raw", 1, 1, &copy_payload, &decode_nothing};

std::vector<std::byte> with_header(std::vector<std::byte> bytes) {
  bytes.resize(std::max(bytes.size(), batch_header_size_bytes));
  fuzz::put(bytes, 0, batch_magic);
  fuzz::put(bytes, 4, batch_version);
  fuzz::put(bytes, 36, static_cast<std::uint32_t>(bytes.size() - batch_header_size_bytes));
  fuzz::put(bytes, 40, std::uint32_t{0});
  fuzz::put(bytes, 40, crc32c(bytes));
  return bytes;
}

struct message {
  envelope with;
  std::vector<std::byte> payload;
  std::vector<std::byte> attributes;
};

void check_inside(std::span<const std::byte> part, std::span<const std::byte> whole) {
  if (part.empty()) return;
  AMPHIBUS_ASSERT(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size(),
                  "a part of a message lies outside its batch");
}

std::vector<message> read_all(batch_reader& from, std::span<const std::byte> whole) {
  std::vector<message> out;
  for (received_message each; from.next(each);) {
    check_inside(each.payload, whole);
    const auto attributes = each.with.attributes.bytes();
    check_inside(attributes, whole);
    for (std::size_t i = 0; i != each.with.attributes.header_count(); ++i) {
      AMPHIBUS_ASSERT(!each.with.attributes.header_at(i).name.empty(), "a header without name");
    }
    out.push_back({each.with, {each.payload.begin(), each.payload.end()}, {attributes.begin(), attributes.end()}});
  }
  return out;
}

/// What was read can be written, and reads the same.
void check_again(const batch_header& header, std::vector<message>& messages) {
  batch_writer writer;
  writer.begin(header);
  for (message& each : messages) {
    each.with.attributes = attributes_view(each.attributes);
    const std::span<const std::byte> payload(each.payload);
    AMPHIBUS_ASSERT(writer.add(each.with, raw, &payload, payload.size()), "what was read cannot be written");
  }
  const auto bytes = writer.finish();
  batch_reader reader;
  AMPHIBUS_ASSERT(reader.open(bytes) == nullptr, "what was written cannot be read");
  const auto again = read_all(reader, bytes);
  AMPHIBUS_ASSERT(again.size() == messages.size(), "another number of messages");
  for (std::size_t i = 0; i != again.size(); ++i) {
    const bool same = again[i].payload == messages[i].payload && again[i].attributes == messages[i].attributes &&
                      again[i].with.id == messages[i].with.id &&
                      again[i].with.correlation == messages[i].with.correlation &&
                      again[i].with.causation == messages[i].with.causation;
    AMPHIBUS_ASSERT(same, "another message");
  }
}

/// Runs hold the same messages as those that come one by one.
void check_runs(batch_reader& from, std::span<const std::byte> whole, const std::vector<message>& messages) {
  const std::size_t most = whole.size() % 5 + 1;
  std::size_t at = 0;
  for (received_run run; from.next_run(run, most);) {
    AMPHIBUS_ASSERT(run.count != 0 && run.count <= most && run.count <= messages.size() - at,
                    "a run of another length");
    for (std::size_t i = 0; i != run.count; ++i, ++at) {
      const received_message each = run[i];
      check_inside(run.payload(i), whole);
      const bool same = std::equal(each.payload.begin(), each.payload.end(), messages[at].payload.begin(),
                                   messages[at].payload.end()) &&
                        each.with.id == messages[at].with.id && each.with.correlation == messages[at].with.correlation;
      AMPHIBUS_ASSERT(same, "another message in a run");
    }
  }
  AMPHIBUS_ASSERT(at == messages.size(), "runs hold another number of messages");
}

void read(const std::vector<std::byte>& bytes) {
  batch_reader reader;
  const bool opened = reader.open(bytes) == nullptr;
  auto messages = read_all(reader, bytes);
  AMPHIBUS_ASSERT(opened || messages.empty(), "a refused batch hands out messages");
  if (!opened) return;
  const bool data = reader.header().kind == batch_kind::messages;
  AMPHIBUS_ASSERT(messages.size() == (data ? reader.header().count : 0), "another count than the header's");
  check_inside(reader.body(), bytes);
  batch_reader in_runs;
  AMPHIBUS_ASSERT(in_runs.open(bytes) == nullptr, "refused the second time");
  check_runs(in_runs, bytes, messages);
  if (data) check_again(reader.header(), messages);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::copy_of(data, size);
  read(bytes);
  read(with_header(bytes));
  return 0;
}
