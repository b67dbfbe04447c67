#include <amphibus/wire/frame.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <limits>
#include <utility>

#include <amphibus/base/words.hpp>
#include <amphibus/wire/crc32c.hpp>

namespace amphibus::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire is little-endian; add byte swaps for this machine");

// Offsets within the header.
constexpr std::size_t at_magic = 0;
constexpr std::size_t at_version = 4;
constexpr std::size_t at_kind = 6;
constexpr std::size_t at_producer = 8;
constexpr std::size_t at_first_sequence = 16;
constexpr std::size_t at_schema_hash = 24;
constexpr std::size_t at_count = 32;
constexpr std::size_t at_body_size = 36;
constexpr std::size_t at_crc = 40;

/// `following`: of the same source as the last first or following message of the batch, with the next sequence.
enum class context_kind : std::uint32_t { first = 0, full = 1, following = 2, attributed = 3 };
constexpr std::size_t prefix_size_bytes = sizeof(message_prefix);
constexpr std::size_t id_words = 3;

template <class T>
T load(std::span<const std::byte> from, std::size_t at) noexcept {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}

template <class T>
void store(std::byte* to, const T& value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

constexpr std::size_t context_size_bytes(context_kind kind) noexcept {
  switch (kind) {
    case context_kind::first: return 16;
    case context_kind::full:
    case context_kind::attributed: return 3 * id_words * 8;
    case context_kind::following: break;
  }
  return 0;
}

constexpr std::uint32_t no_time_limit = 0;

/// In milliseconds, rounded up, so that what has time left never arrives without.
std::uint32_t encoded_time(base::duration left) noexcept {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  if (left == base::duration::max() || milliseconds > std::numeric_limits<std::uint32_t>::max()) return no_time_limit;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(milliseconds, 1));
}
base::duration decoded_time(std::uint32_t milliseconds) noexcept {
  return milliseconds == no_time_limit ? base::duration::max() : std::chrono::milliseconds(milliseconds);
}

context_kind kind_of(const envelope& with, std::uint64_t producer, const message_id& last_first) noexcept {
  if (!with.attributes.bytes().empty() || encoded_time(with.time_left) != no_time_limit)
    return context_kind::attributed;
  if (with.id.source.origin != producer || with.correlation != with.id || with.causation) return context_kind::full;
  const bool follows = with.id.source.index == last_first.source.index && with.id.sequence == last_first.sequence + 1;
  return last_first && follows ? context_kind::following : context_kind::first;
}

constexpr std::size_t padded(std::size_t size) noexcept { return (size + 7) & ~std::size_t{7}; }

constexpr std::size_t attributes_prefix_size_bytes = 8;  // size u32, time left u32
void append_attributes(const envelope& with, byte_writer& to) {
  const std::span<const std::byte> bytes = with.attributes.bytes();
  const std::array<std::uint32_t, 2> prefix{static_cast<std::uint32_t>(bytes.size()), encoded_time(with.time_left)};
  to.append(prefix.data(), attributes_prefix_size_bytes);
  to.append(bytes);
  to.pad(8);
}

/// Checks what follows a context of kind attributed, whose size grows by it. Returns: what is wrong, or nullptr.
const char* check_attributes(std::span<const std::byte> context_and_rest, std::size_t& context_size) noexcept {
  if (context_and_rest.size() < context_size + attributes_prefix_size_bytes) return "attributes beyond the batch's end";
  const auto rest = context_and_rest.subspan(context_size + attributes_prefix_size_bytes);
  const std::size_t size = load<std::uint32_t>(context_and_rest, context_size);
  const bool timed = load<std::uint32_t>(context_and_rest, context_size + 4) != no_time_limit;
  if ((size == 0 && !timed) || padded(size) > rest.size()) return "attributes that end beyond the end of the batch";
  context_size += attributes_prefix_size_bytes + padded(size);
  return size == 0 ? nullptr : attributes_view::check(rest.first(size));
}

/// Every message has a number, and what caused it one of its own. `last`: of the last message of kind first or
/// following, 0 before there was one. Returns: what is wrong, or nullptr. Precondition: the context is there as a
/// whole.
const char* check_ids(std::span<const std::byte> context, context_kind kind, std::uint64_t& last) noexcept {
  const auto sequence_in = [&](std::size_t word) { return load<std::uint64_t>(context, word * 8); };
  switch (kind) {
    case context_kind::following:
      if (last == 0) return "a context that follows none";
      return ++last == 0 ? "sequence numbers beyond 64 bits" : nullptr;
    case context_kind::first: last = sequence_in(1); return last == 0 ? "a message without a sequence number" : nullptr;
    case context_kind::full:
    case context_kind::attributed: break;
  }
  const bool numbered = sequence_in(id_words - 1) != 0 && sequence_in(2 * id_words - 1) != 0;
  return numbered ? nullptr : "a message, or its correlation, without a sequence number";
}

void store_id(std::byte* to, const message_id& id) noexcept {
  const std::array<std::uint64_t, id_words> words{id.source.origin, id.source.index, id.sequence};
  store(to, words);
}

message_id load_id(std::span<const std::byte> from, std::size_t at) noexcept {
  const auto words = load<std::array<std::uint64_t, id_words>>(from, at);
  return {{words[0], words[1]}, words[2]};
}

}  // namespace

void batch_writer::begin(const batch_header& header) {
  header_ = header;
  header_.count = 0;
  last_first_ = {};
  out_.clear();
  out_.extend(batch_header_size_bytes);
}

std::size_t batch_writer::add_run(std::uint64_t source, std::uint64_t sequence, const codec_operations& codec,
                                  const value_run& values, std::size_t size_max_bytes, std::size_t until_size_bytes) {
  if (values.count == 0 || header_.count == batch_count_max) return 0;
  std::size_t count = 0;
  const bool follows = last_first_ && source == last_first_.source.index && sequence == last_first_.sequence + 1;
  if (!follows && !add_first(source, sequence, codec, values[count++], size_max_bytes)) return 0;
  value_run rest = values.without(count);
  rest.count = std::min<std::size_t>(rest.count, batch_count_max - header_.count);
  const run_limits limits{static_cast<std::uint32_t>(context_kind::following), size_max_bytes, until_size_bytes};
  std::size_t more = 0;
  if (codec.encode_run != nullptr) {
    more = codec.encode_run(rest, out_, limits);
  } else {
    const auto encode_next = [&](byte_writer& out) { return codec.encode(rest[more], out); };
    while (more != rest.count && out_.size() < until_size_bytes && append_message(out_, limits, encode_next)) ++more;
  }
  header_.count += static_cast<std::uint32_t>(more);
  count += more;
  if (count != 0) last_first_ = {{header_.producer, source}, sequence + count - 1};
  return count;
}

bool batch_writer::add_first(std::uint64_t source, std::uint64_t sequence, const codec_operations& codec,
                             const void* value, std::size_t size_max_bytes) {
  const std::size_t begin = out_.size();
  std::byte* const context =
      out_.extend(prefix_size_bytes + context_size_bytes(context_kind::first)) + prefix_size_bytes;
  store(context, base::apart(source));
  store(context + 8, base::apart(sequence));
  return add_payload(begin, static_cast<std::uint32_t>(context_kind::first), codec, value, size_max_bytes);
}

bool batch_writer::add_payload(std::size_t begin, std::uint32_t kind, const codec_operations& codec, const void* value,
                               std::size_t size_max_bytes) {
  const std::size_t payload = out_.size();
  if (!codec.encode(value, out_) || out_.size() - payload > size_max_bytes) {
    out_.truncate(begin);
    return false;
  }
  const std::size_t size = out_.size() - payload;
  const message_prefix prefix{static_cast<std::uint32_t>(size), kind};
  out_.overwrite(begin, &prefix, sizeof prefix);
  out_.pad(8);
  ++header_.count;
  return true;
}

bool batch_writer::add(const envelope& with, const codec_operations& codec, const void* value,
                       std::size_t size_max_bytes) {
  const context_kind kind = kind_of(with, header_.producer, last_first_);
  const std::size_t begin = out_.size();
  std::byte* const prefix = out_.extend(prefix_size_bytes + context_size_bytes(kind));
  std::byte* const context = prefix + prefix_size_bytes;
  if (kind == context_kind::first) {
    store(context, base::apart(with.id.source.index));
    store(context + 8, base::apart(with.id.sequence));
  } else if (kind != context_kind::following) {
    store_id(context, with.id);
    store_id(context + id_words * 8, with.correlation);
    store_id(context + 2 * id_words * 8, with.causation);
  }
  if (kind == context_kind::attributed) append_attributes(with, out_);
  if (!add_payload(begin, static_cast<std::uint32_t>(kind), codec, value, size_max_bytes)) return false;
  if (kind == context_kind::first || kind == context_kind::following) last_first_ = with.id;
  return true;
}

void batch_writer::add_raw(std::span<const std::byte> bytes) { out_.append(bytes); }

std::span<const std::byte> batch_writer::finish() {
  std::array<std::byte, batch_header_size_bytes> header{};
  std::byte* const to = header.data();
  store(to + at_magic, batch_magic);
  store(to + at_version, batch_version);
  store(to + at_kind, header_.kind);
  store(to + at_producer, header_.producer);
  store(to + at_first_sequence, header_.first_sequence);
  store(to + at_schema_hash, header_.schema_hash);
  store(to + at_count, header_.count);
  store(to + at_body_size, static_cast<std::uint32_t>(out_.size() - batch_header_size_bytes));
  out_.overwrite(0, header.data(), header.size());  // its CRC is of a header without one
  const std::uint32_t crc = out_.crc();
  out_.overwrite(at_crc, &crc, sizeof crc);
  return out_.bytes();
}

const char* batch_reader::open(std::span<const std::byte> bytes, shared_buffer* owner) {
  const char* const wrong = check(bytes);
  if (wrong != nullptr) return *this = {}, wrong;  // a refused batch hands out nothing
  owner_ = owner;
  return nullptr;
}

const char* batch_reader::check(std::span<const std::byte> bytes) {
  if (bytes.size() < batch_header_size_bytes) return "shorter than the 48-byte batch header";
  if (load<std::uint32_t>(bytes, at_magic) != batch_magic) return "wrong magic: not an Amphibus batch";
  if (load<std::uint16_t>(bytes, at_version) != batch_version) return "another batch version; this one reads 1";
  if (load<std::uint32_t>(bytes, at_body_size) != bytes.size() - batch_header_size_bytes) {
    return "the body size in the header is not the size that came";
  }
  std::array<std::byte, batch_header_size_bytes> header;
  std::memcpy(header.data(), bytes.data(), header.size());
  store(header.data() + at_crc, std::uint32_t{0});
  if (crc32c(bytes.subspan(header.size()), crc32c(header)) != load<std::uint32_t>(bytes, at_crc))
    return "wrong CRC-32C";
  bytes_ = bytes;
  header_ = {load<batch_kind>(bytes, at_kind), load<std::uint64_t>(bytes, at_producer),
             load<std::uint64_t>(bytes, at_first_sequence), load<std::uint64_t>(bytes, at_schema_hash),
             load<std::uint32_t>(bytes, at_count)};
  if (header_.kind > batch_kind::goodbye) return "unknown kind of batch";
  if (header_.first_sequence == 0 && header_.kind == batch_kind::messages) return "sequence numbers begin at 1";
  // The number after the last must exist, too: receivers wait for it.
  if (header_.first_sequence > ~std::uint64_t{0} - header_.count) return "sequence numbers beyond 64 bits";
  position_ = batch_header_size_bytes;
  read_ = 0;
  last_first_ = {};
  if (header_.kind == batch_kind::messages) return check_messages();
  return header_.count == 0 ? nullptr : "a sync or goodbye that counts messages";
}

std::size_t batch_reader::following_from(std::size_t at, std::uint32_t payload_size, std::size_t max) const noexcept {
  const message_prefix wanted{payload_size, static_cast<std::uint32_t>(context_kind::following)};
  const auto prefix = std::bit_cast<std::uint64_t>(wanted);
  const std::size_t stride = prefix_size_bytes + padded(payload_size);
  const std::size_t most = std::min(max, (bytes_.size() - at) / stride);
  std::size_t count = 0;
  while (count != most && load<std::uint64_t>(bytes_, at + count * stride) == prefix) ++count;
  return count;
}

const char* batch_reader::check_messages() const noexcept {
  if (header_.count > batch_count_max) return "more than 1,048,576 messages in a batch";
  std::size_t at = batch_header_size_bytes;
  std::uint64_t last = 0;
  for (std::uint32_t i = 0; i != header_.count; ++i) {
    const std::size_t begin = at;
    if (bytes_.size() - at < prefix_size_bytes) return "a message begins beyond the end of the batch";
    const auto kind = load<std::uint32_t>(bytes_, at + 4);
    if (kind > static_cast<std::uint32_t>(context_kind::attributed)) return "unknown kind of context";
    const auto known = static_cast<context_kind>(kind);
    std::size_t context = context_size_bytes(known);
    const auto rest = bytes_.subspan(at + prefix_size_bytes);
    if (rest.size() < context) return "a context that ends beyond the end of the batch";
    if (const char* wrong = check_ids(rest, known, last)) return wrong;
    if (known == context_kind::attributed) {
      if (const char* wrong = check_attributes(rest, context)) return wrong;
    }
    const std::size_t size = padded(load<std::uint32_t>(bytes_, at));
    if (bytes_.size() - at - prefix_size_bytes < context + size) return "a message ends beyond the end of the batch";
    at += prefix_size_bytes + context + size;
    if (last == 0) continue;
    // Most messages follow the one before and are of its size.
    const std::size_t same = following_from(at, load<std::uint32_t>(bytes_, begin), header_.count - i - 1);
    if (same > ~last) return "sequence numbers beyond 64 bits";
    last += same;
    i += static_cast<std::uint32_t>(same);
    at += same * (prefix_size_bytes + size);
  }
  return at == bytes_.size() ? nullptr : "bytes are left after the last message";
}

bool batch_reader::next(received_message& into) noexcept {
  if (read_ == header_.count) return false;
  ++read_;
  const auto size = load<std::uint32_t>(bytes_, position_);
  const auto kind = static_cast<context_kind>(load<std::uint32_t>(bytes_, position_ + 4));
  position_ += prefix_size_bytes;
  if (kind == context_kind::full || kind == context_kind::attributed) {
    into.with = {load_id(bytes_, position_),
                 load_id(bytes_, position_ + id_words * 8),
                 load_id(bytes_, position_ + 2 * id_words * 8),
                 0,
                 {}};
    if (!into.with.causation) into.with.causation = {};  // none, whatever else it says
    into.first = false;
  } else {
    if (kind == context_kind::first) {
      last_first_ = {{header_.producer, load<std::uint64_t>(bytes_, position_)},
                     load<std::uint64_t>(bytes_, position_ + 8)};
    } else {
      ++last_first_.sequence;
    }
    if (!std::exchange(into.first, true)) into.with = first_envelope(last_first_);
    into.with.id = into.with.correlation = last_first_;
    into.with.lost_before = 0;
  }
  position_ += context_size_bytes(kind);
  if (kind == context_kind::attributed) {
    const auto attributes = load<std::uint32_t>(bytes_, position_);
    into.with.attributes = attributes_view(bytes_.subspan(position_ + attributes_prefix_size_bytes, attributes));
    into.with.time_left = decoded_time(load<std::uint32_t>(bytes_, position_ + 4));
    position_ += attributes_prefix_size_bytes + padded(attributes);
  }
  into.payload = bytes_.subspan(position_, size);
  into.owner = owner_;
  position_ += padded(size);
  return true;
}

bool batch_reader::next_run(received_run& into, std::size_t max) noexcept {
  if (max == 0 || !next(into.head)) return into.count = 0, false;
  into.count = 1;
  if (!into.head.first) return true;
  const auto size = static_cast<std::uint32_t>(into.head.payload.size());
  const std::size_t more = following_from(position_, size, std::min<std::size_t>(max - 1, header_.count - read_));
  into.count += more;
  into.stride = prefix_size_bytes + padded(size);
  last_first_.sequence += more;
  read_ += static_cast<std::uint32_t>(more);
  position_ += more * into.stride;
  return true;
}

}  // namespace amphibus::wire
