#include <amphibus/base/event.hpp>
#include <amphibus/wire/topic_name.hpp>

namespace amphibus::wire {
namespace {

const char* describe(topic_fault fault) noexcept {
  switch (fault) {
    case topic_fault::none: break;
    case topic_fault::empty: return "is empty";
    case topic_fault::too_long: return "is longer than 200 bytes";
    case topic_fault::too_many_tokens: return "has more than 16 tokens";
    case topic_fault::empty_token: return "has an empty token";
    case topic_fault::bad_character: return "has a character outside [A-Za-z0-9_-]";
    case topic_fault::misplaced_wildcard: return "has a wildcard that is not a token of its own ('>' only as the last)";
  }
  return "is fine";
}

}  // namespace

error topic_error(std::string_view text, topic_verdict verdict, error_location where) {
  return {error_code::bad_topic,
          "topic '" + escaped(std::string(text)) + "' " + describe(verdict.fault) + " at byte " +
              std::to_string(verdict.position),
          "use 1 to 16 tokens of [A-Za-z0-9_-] joined by dots, at most 200 bytes, e.g. shop.orders.placed",
          std::move(where)};
}

}  // namespace amphibus::wire
