// The option tables: the only place that knows which keys exist, what they accept and how they print.
#include <algorithm>

#include <amphibus/base/event.hpp>
#include <amphibus/queue/byte_budget.hpp>
#include <amphibus/wire/topic_name.hpp>

#include "config/parse_values.hpp"
#include "config/reader.hpp"

namespace amphibus::config {
namespace {

using std::chrono::nanoseconds;

std::string is_not(const std::string& text) { return "is '" + escaped(text, 80) + "'"; }

template <class Value>
void assign(setting<Value>& to, Value value, const origin& from) {
  to = {std::move(value), from};
}

std::string set_duration(setting<nanoseconds>& to, const std::string& text, const origin& from) {
  const auto value = parse_duration(text);
  if (!value || *value < std::chrono::milliseconds(1) || *value > std::chrono::hours(1)) return is_not(text);
  assign(to, *value, from);
  return {};
}

std::string set_endpoint(setting<std::string>& to, const std::string& text, const origin& from) {
  const auto colon = text.find("://");
  if (colon == 0 || colon == std::string::npos || colon + 3 >= text.size()) return is_not(text);
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) return is_not(text);
  assign(to, text, from);
  return {};
}

constexpr std::string_view duration_allowed = "a duration with its unit from 1ms to 1h, e.g. 500ms, 10s, 2min";
constexpr std::string_view endpoint_allowed = "tcp://HOST:PORT or ipc://PATH";

template <class Target, auto Member>
option<Target> duration_option(const char* key) {
  return {key,
          duration_allowed,
          false,
          [](Target& to, const std::string& text, const origin& from) { return set_duration(to.*Member, text, from); },
          [](const Target& of) { return print_duration((of.*Member).value); },
          [](const Target& of) -> const origin& { return (of.*Member).from; }};
}

template <auto Member>
option<process> endpoint_option(const char* key) {
  return {key,
          endpoint_allowed,
          false,
          [](process& to, const std::string& text, const origin& from) { return set_endpoint(to.*Member, text, from); },
          [](const process& of) { return (of.*Member).value; },
          [](const process& of) -> const origin& { return (of.*Member).from; }};
}

/// A size in bytes from `Min` to `Max`, which `allowed` says.
template <auto Member, std::size_t Min, std::size_t Max>
option<configuration> size_option(const char* key, std::string_view allowed) {
  return {key,
          allowed,
          true,
          [](configuration& to, const std::string& text, const origin& from) -> std::string {
            const auto value = parse_size(text);
            if (!value || *value < Min || *value > Max) return is_not(text);
            assign(to.*Member, *value, from);
            return {};
          },
          [](const configuration& of) { return print_size((of.*Member).value); },
          [](const configuration& of) -> const origin& { return (of.*Member).from; }};
}

std::string set_topic(route& to, const std::string& text, const origin& from) {
  const auto verdict = wire::check_topic_pattern(text);
  if (!verdict.ok()) return "is no pattern: " + wire::topic_error(text, verdict).text();
  assign(to.topic, text, from);
  return {};
}

std::string set_transport(route& to, const std::string& text, const origin& from) {
  if (text.empty()) return "is empty";
  assign(to.transport, text, from);
  return {};
}

std::string set_level(route& to, const std::string& text, const origin& from) {
  if (text == "reliable" || text == "durable") return "is '" + text + "', which this version does not provide";
  if (text != "best_effort") return is_not(text);
  assign(to.level, level::best_effort, from);
  return {};
}

std::string set_overflow(route& to, const std::string& text, const origin& from) {
  if (text != "block" && text != "drop_newest") return is_not(text);
  assign(to.overflow, text == "block" ? overflow::block : overflow::drop_newest, from);
  return {};
}

std::string set_retain(route& to, const std::string& text, const origin& from) {
  const auto value = parse_retain(text);
  if (!value) return is_not(text);
  assign(to.retain, *value, from);
  return {};
}

std::string print_retain(const route& of) {
  return of.retain.from.kind == origin_kind::code ? "as each topic says" : config::print_retain(of.retain.value);
}

}  // namespace

const std::vector<option<configuration>>& limit_options() {
  static const std::vector<option<configuration>> table{
      size_option<&configuration::message_size_max_bytes, 64, std::size_t{1} << 30U>(
          "message_size_max_bytes", "64 to 1GiB, e.g. 65536, 64KiB, 16MiB"),
      size_option<&configuration::memory_max_bytes, queue::memory_max_lowest_bytes, queue::memory_max_highest_bytes>(
          "memory_max_bytes", "1MiB to 65536GiB, e.g. 256MiB, 4GiB"),
      duration_option<configuration, &configuration::peer_stall_max>("peer_stall_max"),
      duration_option<configuration, &configuration::ready_deadline>("ready_deadline"),
      duration_option<configuration, &configuration::close_deadline>("close_deadline"),
  };
  return table;
}

const std::vector<option<process>>& process_options() {
  static const std::vector<option<process>> table{endpoint_option<&process::endpoint>("endpoint"),
                                                  endpoint_option<&process::advertise>("advertise")};
  return table;
}

const std::vector<option<route>>& route_options() {
  static const std::vector<option<route>> table{
      {"topic", "a topic or pattern of tokens [A-Za-z0-9_-] joined by dots, `*` one token, `>` the rest", false,
       &set_topic, [](const route& of) { return of.topic.value; },
       [](const route& of) -> const origin& { return of.topic.from; }},
      {"transport", "inproc, or a transport of the program", false, &set_transport,
       [](const route& of) { return of.transport.value; },
       [](const route& of) -> const origin& { return of.transport.from; }},
      {"level", "best_effort", false, &set_level, [](const route&) { return std::string("best_effort"); },
       [](const route& of) -> const origin& { return of.level.from; }},
      {"overflow", "block or drop_newest", false, &set_overflow,
       [](const route& of) { return std::string(of.overflow.value == overflow::block ? "block" : "drop_newest"); },
       [](const route& of) -> const origin& { return of.overflow.from; }},
      duration_option<route, &route::block_timeout>("block_timeout"),
      {"retain",
       "nothing, last_value, or history(N) with N messages of each key, 1 to 65536; with the limit of all keys "
       "together, "
       "1 to 16777216, e.g. last_value(1000), history(10, 1000)",
       false, &set_retain, &print_retain, [](const route& of) -> const origin& { return of.retain.from; }},
  };
  return table;
}

}  // namespace amphibus::config
