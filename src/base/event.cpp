#include <amphibus/base/event.hpp>

#include <array>
#include <cstddef>

namespace amphibus {

const char* to_string(event_kind kind) noexcept {
  switch (kind) {
    case event_kind::dropped: return "dropped";
    case event_kind::expired: return "expired";
    case event_kind::topic_skipped: return "topic_skipped";
    case event_kind::handler_failed: return "handler_failed";
    case event_kind::undeliverable: return "undeliverable";
    case event_kind::gap: return "gap";
    case event_kind::rejected_input: return "rejected_input";
    case event_kind::peer_connected: return "peer_connected";
    case event_kind::peer_lost: return "peer_lost";
    case event_kind::peer_closed: return "peer_closed";
    case event_kind::peer_refused: return "peer_refused";
    case event_kind::peer_stalled: return "peer_stalled";
    case event_kind::ready: return "ready";
    case event_kind::not_ready: return "not_ready";
  }
  return "unknown";
}

std::string to_string(const event& what) {
  std::string out = to_string(what.kind);
  const auto add = [&out](const char* name, const std::string& value) {
    if (!value.empty()) out += std::string(" ") + name + "=" + value;
  };
  add("topic", what.topic);
  add("subscription", what.subscription);
  add("peer", what.peer);
  if (what.count != 0) out += " count=" + std::to_string(what.count);
  return what.text.empty() ? out : out + ": " + what.text;
}

std::string escaped(const std::string& text, std::size_t limit) {
  constexpr std::array<char, 16> digits{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  std::string out;
  for (const char character : text) {
    if (out.size() >= limit) return out + "…";
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte < 0x7f && character != '\\') {
      out += character;
    } else {
      out += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return out;
}

}  // namespace amphibus
