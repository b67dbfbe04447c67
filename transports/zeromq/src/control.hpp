#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <amphibus/base/error.hpp>

/// Control messages: what two processes tell each other beside the data. One ZeroMQ frame each, little-endian, every
/// field bounded; layout in docs/wire.md.
namespace amphibus::zeromq {

inline constexpr std::uint16_t protocol_version = 1;
inline constexpr std::size_t control_topics_max = 20'000;
inline constexpr std::size_t control_patterns_max = 1'000;
inline constexpr std::size_t control_groups_max = 1'000;
inline constexpr std::size_t control_routes_max = 1'000;
inline constexpr std::size_t control_text_size_max_bytes = 1'024;
inline constexpr std::size_t control_schema_size_max_bytes = std::size_t{256} << 10U;
inline constexpr std::uint64_t no_routes_digest = 0;  ///< of a sender that did not compare; only routes are counted

struct control_topic {
  std::string name;
  std::uint32_t route = 0;
  std::string type_name;
  std::uint16_t major = 0;
  std::uint64_t schema_hash = 0;
  bool subscribed = false;  ///< by its name
  friend bool operator==(const control_topic&, const control_topic&) = default;
};

/// A subscription by pattern.
struct control_pattern {
  std::string text;
  std::string type_name;  ///< empty: every type
  std::uint16_t major = 0;
  friend auto operator<=>(const control_pattern&, const control_pattern&) = default;
};

/// A group with members in the sender; `of` is a topic or a pattern.
struct control_group {
  std::string of;
  std::string name;
  friend auto operator<=>(const control_group&, const control_group&) = default;
};

/// Who I am; the first message in both directions.
struct hello {
  std::uint16_t protocol_min = protocol_version;
  std::uint16_t protocol_max = protocol_version;
  std::string process;
  std::uint64_t routes_digest = no_routes_digest;
  std::vector<std::string> data_endpoints;  ///< one per route
  std::uint64_t revision = 0;               ///< of what is subscribed
  std::vector<control_topic> topics;
  std::vector<control_pattern> patterns;
  std::vector<control_group> groups = {};  ///< sorted
};
/// Topics that are new or changed since the last hello or update, and all patterns and groups of now.
struct update {
  std::uint64_t revision = 0;
  std::vector<control_topic> topics;
  std::vector<control_pattern> patterns;
  std::vector<control_group> groups = {};  ///< sorted
};
/// All my subscriptions are confirmed by every peer.
struct ready {};
struct ping {};
/// Nothing follows but what the data goodbye announced.
struct bye {};
/// Everything up to your goodbye is delivered.
struct bye_ok {};
/// I will not talk to you: the text of the error.
struct reject {
  std::uint16_t code = 0;
  std::string text;
};

inline reject rejection(const error& why) { return {static_cast<std::uint16_t>(why.code()), why.text()}; }

/// I am no process of the file and only look on; repeated, it says that I still do.
struct observe {
  std::uint16_t protocol_min = protocol_version;
  std::uint16_t protocol_max = protocol_version;
};
/// You may: where batches are shown.
struct observed {
  std::string process;
  std::string tap_endpoint;
};
/// An observer asks what the messages of a topic are.
struct describe {
  std::string topic;
};
/// The answer, on the tap endpoint; no type where the process does not know the topic.
struct described {
  std::string topic;
  std::string type_name;
  std::uint16_t major = 0;
  std::uint64_t schema_hash = 0;
  std::string binary_schema;  ///< as codec_operations has it; empty: none, or larger than the bound
};

/// In the order of their numbers on the wire.
using control_body =
    std::variant<hello, update, ready, ping, bye, bye_ok, reject, observe, observed, describe, described>;

struct control_message {
  std::uint64_t incarnation = 0;  ///< of the sender
  control_body body;
};

/// Texts are cut at control_text_size_max_bytes.
std::vector<std::byte> encode(const control_message& message);
/// Returns: what is wrong, or nullptr and `into` is complete. Never trusts a length. A hello of another protocol
/// version comes through with its range and nothing else, so that it can be answered; a message of too many topics with
/// one more than control_topics_max and no patterns.
const char* decode(std::span<const std::byte> bytes, control_message& into);

}  // namespace amphibus::zeromq
