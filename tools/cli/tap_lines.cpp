#include <array>
#include <charconv>
#include <ctime>

#include "json_text.hpp"
#include "tap.hpp"

namespace amphibus::cli {
namespace {

constexpr std::size_t hex_max_bytes = 256;
constexpr std::size_t schemas_max = 1'000;  // a process may make up any number of types

/// UTC with microseconds: `2026-11-26T12:30:25.104881Z`.
std::string time_text(std::chrono::system_clock::time_point at) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
  const std::time_t seconds = since / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 48> out{};
  const auto size = std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(out.data() + size, out.size() - size, ".%06dZ", static_cast<int>(since % 1'000'000));
  return out.data();
}

std::string member(std::string_view name, const std::string& value) {
  return "," + json_string(name) + ":" + json_string(value);
}

/// What goes with the message besides its content, as members; nothing where there is nothing.
std::string envelope_members(const wire::envelope& with) {
  std::string out = member("id", to_string(with.id));
  if (with.correlation != with.id) out += member("correlation", to_string(with.correlation));
  if (with.causation) out += member("causation", to_string(with.causation));
  if (!with.attributes.key().empty()) out += member("key", std::string(with.attributes.key()));
  if (with.attributes.header_count() == 0) return out;
  out += ",\"headers\":[";
  for (std::size_t i = 0; i != with.attributes.header_count(); ++i) {
    const header each = with.attributes.header_at(i);
    out += (i == 0 ? "[" : ",[") + json_string(each.name) + "," + json_string(each.value) + "]";
  }
  return out + "]";
}

}  // namespace

std::optional<std::chrono::milliseconds> read_duration(const std::string& text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{}) return std::nullopt;
  const std::string_view rest(unit, static_cast<std::size_t>(end - unit));
  if (rest == "ms") return std::chrono::milliseconds(number);
  if (rest == "s") return std::chrono::seconds(number);
  if (rest == "min") return std::chrono::minutes(number);
  if (rest == "h") return std::chrono::hours(number);
  return std::nullopt;
}

const message_json* tap_lines::find_schema(const zeromq::observed_message& message) {
  if (message.binary_schema.empty()) return nullptr;
  const std::string name = std::string(message.process) + '\0' + std::string(message.type_name);
  auto found = schemas_.find(name);
  if (found == schemas_.end() && schemas_.size() == schemas_max) schemas_.clear();
  if (found == schemas_.end() || found->second.bytes != message.binary_schema) {
    known_schema made{std::string(message.binary_schema), message_json::open(message.binary_schema, message.type_name)};
    found = schemas_.insert_or_assign(name, std::move(made)).first;
  }
  return found->second.text ? &*found->second.text : nullptr;
}

std::string tap_lines::content_of(const zeromq::observed_message& message) {
  const message_json* const schema = find_schema(message);
  if (schema != nullptr) {
    if (const auto text = schema->text_of(message.payload)) return ",\"message\":" + *text;
  }
  std::string note = schema == nullptr ? "no schema came with its type" : "does not fit its schema";
  if (message.payload.size() > hex_max_bytes) {
    note += "; " + std::to_string(hex_max_bytes) + " of " + std::to_string(message.payload.size()) + " bytes";
  }
  return ",\"hex\":\"" + hex_text(message.payload, hex_max_bytes) + "\"" + member("note", note);
}

std::string tap_lines::line_of(const zeromq::observed_message& message, std::chrono::system_clock::time_point at) {
  const std::string time = time_text(at);
  const std::string number = std::to_string(message.number);
  const std::string missed =
      message.missed_before == 0 ? "" : ",\"missed_before\":" + std::to_string(message.missed_before);
  const std::string more = envelope_members(message.with) + missed + content_of(message);
  const std::string topic(message.topic);
  const std::string process(message.process);
  if (!json_) return time.substr(11, 15) + " " + process + " " + topic + " #" + number + " {" + more.substr(1) + "}";
  const std::string type = message.type_name.empty() ? "" : member("type", std::string(message.type_name));
  return "{\"time\":\"" + time + "\"" + member("process", process) + member("topic", topic) + ",\"number\":" + number +
         type + more + "}";
}

}  // namespace amphibus::cli
