// The conversation of one link: every byte of the input is something that happens to it. What it says must always be
// understood by a peer of the same version.
#include <amphibus/base/assert.hpp>

#include "fuzz.hpp"
#include "link.hpp"

using namespace amphibus;
using namespace amphibus::zeromq;

namespace {

constexpr std::uint64_t digest = 77;

control_topic topic_of(fuzz::choices& from) {
  const std::uint8_t what = from.byte();
  const std::string name = "shop." + std::string(1, static_cast<char>('a' + what % 4));
  return {name, what / 4 % 2U, (what & 64U) != 0 ? "order" : std::string(what, 'x'), 1, what, (what & 128U) != 0};
}

std::vector<control_topic> topics_of(fuzz::choices& from) {
  std::vector<control_topic> out;
  for (int count = from.byte() % 4; count != 0; --count) out.push_back(topic_of(from));
  return out;
}

std::vector<control_pattern> patterns_of(fuzz::choices& from) {
  std::vector<control_pattern> out;
  for (int count = from.byte() % 3; count != 0; --count) out.push_back({count == 1 ? "shop.>" : ">", "order", 1});
  return out;
}

/// A message that a peer could send, or what the bytes say.
std::vector<control_group> groups_of(fuzz::choices& from) {
  std::vector<control_group> out;
  for (std::size_t i = from.byte() % 3U; i != 0; --i) out.push_back({(from.byte() & 1U) != 0 ? "a.b" : "a.>", "g"});
  return out;
}

control_message message_of(fuzz::choices& from) {
  const std::uint8_t what = from.byte();
  control_message out;
  out.incarnation = what / 8 % 4U;
  switch (what % 8) {
    case 0: {
      hello greeting;
      greeting.process = (what & 128U) != 0 ? "b" : std::string(std::size_t{what} * 4, '\x1b');
      greeting.routes_digest = (what & 64U) != 0 ? digest : 0;
      greeting.data_endpoints = {"tcp://1", "tcp://2"};
      greeting.revision = from.byte() % 4U;
      greeting.topics = topics_of(from);
      greeting.patterns = patterns_of(from);
      greeting.groups = groups_of(from);
      out.body = std::move(greeting);
      break;
    }
    case 1: out.body = update{from.byte() % 4U, topics_of(from), patterns_of(from), groups_of(from)}; break;
    case 2: out.body = ready{}; break;
    case 3: out.body = ping{}; break;
    case 4: out.body = bye{}; break;
    case 5: out.body = bye_ok{}; break;
    case 6: out.body = reject{what, std::string(what, '\x7f')}; break;
    default: {
      const auto bytes = from.some(512);
      if (decode(std::as_bytes(bytes), out) != nullptr) out.body = ping{};
    }
  }
  return out;
}

update local_of(fuzz::choices& from) {
  update out{from.byte() % 4U, topics_of(from), patterns_of(from), groups_of(from)};
  const auto by_name = [](const control_topic& a, const control_topic& b) { return a.name < b.name; };
  const auto same = [](const control_topic& a, const control_topic& b) { return a.name == b.name; };
  std::sort(out.topics.begin(), out.topics.end(), by_name);
  out.topics.erase(std::unique(out.topics.begin(), out.topics.end(), same), out.topics.end());
  std::sort(out.patterns.begin(), out.patterns.end());
  std::sort(out.groups.begin(), out.groups.end());
  return out;
}

void happen(zeromq::link& to, fuzz::choices& from, base::time_point now) {
  const std::uint8_t what = from.byte();
  switch (what % 12) {
    case 0: return to.on_connected(now);
    case 1: return to.on_timer(now);
    case 2: return to.on_local_change(now, local_of(from));
    case 3: return static_cast<void>(to.on_marker(what / 12 % 3U, from.byte() % 4U, from.byte() % 4U));
    case 4: return to.on_sync(what / 12 % 2U, from.byte() % 4U);
    case 5: return to.announce_ready(now);
    case 6: return to.say_bye(now);
    case 7: return to.on_data_goodbye(now);
    default: return to.on_message(now, message_of(from));
  }
}

void check(const link_action& what) {
  if (const auto* said = std::get_if<send_control>(&what)) {
    control_message heard;
    AMPHIBUS_ASSERT(decode(encode({1, said->body}), heard) == nullptr, "says what no peer understands");
  }
  if (const auto* told = std::get_if<tell>(&what)) {
    AMPHIBUS_ASSERT(fuzz::printable(to_string(told->what)), "an event that is not printable");
  }
  if (const auto* failed = std::get_if<fail_start>(&what)) {
    AMPHIBUS_ASSERT(fuzz::printable(failed->why.what()), "an error that is not printable");
  }
  if (const auto* open = std::get_if<open_data>(&what)) {
    AMPHIBUS_ASSERT(open->endpoints.size() == 2, "another number of data endpoints than there are routes");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::choices from(data, size);
  base::time_point now{};
  zeromq::link one({"a", "b", (from.byte() & 1U) != 0, digest, {"tcp://3", "tcp://4"}, std::chrono::seconds(5)});
  while (!from.empty()) {
    now += std::chrono::milliseconds(from.byte() * 40);
    happen(one, from, now);
    for (const link_action& each : one.take_actions()) check(each);
    static_cast<void>(one.confirmed());
    static_cast<void>(one.settled());
  }
  return 0;
}
