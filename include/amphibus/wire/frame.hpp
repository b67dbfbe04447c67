#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <amphibus/wire/byte_writer.hpp>
#include <amphibus/wire/codec.hpp>
#include <amphibus/wire/envelope.hpp>

#pragma GCC visibility push(default)
/// The batch: what travels in the second frame of a data message. Layout, byte by byte: docs/wire.md.
namespace amphibus::wire {

inline constexpr std::uint32_t batch_magic = 0x31424d41;  ///< "AMB1"
inline constexpr std::uint16_t batch_version = 1;
inline constexpr std::size_t batch_header_size_bytes = 48;
inline constexpr std::uint64_t batch_count_max = 1U << 20U;

enum class batch_kind : std::uint16_t {
  messages = 0,  ///< `count` messages from first_sequence on; count 0 repeats the next number of an idle stream
  sync = 1,      ///< answer to a subscriber's marker: everything before is effective
  goodbye = 2,   ///< the last batch of the producer
};

struct batch_header {
  batch_kind kind = batch_kind::messages;
  std::uint64_t producer = 0;        ///< incarnation of the sending process
  std::uint64_t first_sequence = 1;  ///< of the stream (producer, topic); counts from 1 without gaps
  std::uint64_t schema_hash = 0;
  std::uint32_t count = 0;
};

/// Builds one batch after the other in one buffer.
///
/// Thread: confined. Allocates: only while it grows to its largest batch.
class batch_writer {
 public:
  void begin(const batch_header& header);
  /// Appends one message. Returns: false, with nothing appended, if the codec refuses it or its payload is larger than
  /// `size_max_bytes`.
  [[nodiscard]] bool add(const envelope& with, const codec_operations& codec, const void* value,
                         std::size_t size_max_bytes);
  /// The same for first messages of the batch's own producer, which have no attributes and no time limit, with sequence
  /// numbers from `sequence` on; stops where the batch has `until_size_bytes` or batch_count_max messages. Returns: how
  /// many; where there is room, the next one was refused.
  [[nodiscard]] std::size_t add_run(std::uint64_t source, std::uint64_t sequence, const codec_operations& codec,
                                    const value_run& values, std::size_t size_max_bytes, std::size_t until_size_bytes);
  /// Appends bytes that are no message: the body of sync and goodbye.
  void add_raw(std::span<const std::byte> bytes);
  /// Completes header and CRC. Returns: the whole batch, valid until the next begin() or exchange_buffer().
  std::span<const std::byte> finish();
  /// Gives the buffer with the finished batch away and goes on with `next`.
  [[nodiscard]] byte_writer exchange_buffer(byte_writer next) noexcept { return std::exchange(out_, std::move(next)); }
  [[nodiscard]] std::uint32_t count() const noexcept { return header_.count; }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return out_.size(); }

 private:
  /// A first message, whatever was before it.
  [[nodiscard]] bool add_first(std::uint64_t source, std::uint64_t sequence, const codec_operations& codec,
                               const void* value, std::size_t size_max_bytes);
  /// The message that began at `begin`, whose context is there.
  bool add_payload(std::size_t begin, std::uint32_t kind, const codec_operations& codec, const void* value,
                   std::size_t size_max_bytes);

  batch_header header_;
  byte_writer out_;
  message_id last_first_;  // the last message of this batch that no handler caused
};

/// Reads a batch that came from outside: everything is checked before anything is handed out.
///
/// Thread: confined. Lifetime: the bytes outlive the reader's messages. Allocates: never.
class batch_reader {
 public:
  /// Checks magic, version, lengths, CRC and every message boundary. `owner`: what messages that are kept refer to;
  /// null: whoever keeps one copies it. Returns: what is wrong, or nullptr. What is refused hands out nothing.
  const char* open(std::span<const std::byte> bytes, shared_buffer* owner = nullptr);
  [[nodiscard]] const batch_header& header() const noexcept { return header_; }
  /// The body of sync and goodbye.
  [[nodiscard]] std::span<const std::byte> body() const noexcept { return bytes_.subspan(batch_header_size_bytes); }
  /// The next message; its payload is 8-aligned if the batch was. Returns: false after the last.
  bool next(received_message& into) noexcept;
  /// The next messages, as many as make a run, at most `max`. Returns: false after the last.
  bool next_run(received_run& into, std::size_t max = std::numeric_limits<std::size_t>::max()) noexcept;

 private:
  const char* check(std::span<const std::byte> bytes);
  [[nodiscard]] const char* check_messages() const noexcept;
  /// How many messages from `at` on follow the one before and have payloads of that size, at most `max`.
  [[nodiscard]] std::size_t following_from(std::size_t at, std::uint32_t payload_size, std::size_t max) const noexcept;

  batch_header header_;
  std::span<const std::byte> bytes_;
  shared_buffer* owner_ = nullptr;
  std::size_t position_ = 0;
  std::uint32_t read_ = 0;
  message_id last_first_;
};

}  // namespace amphibus::wire
#pragma GCC visibility pop
