#include "control.hpp"

#include <algorithm>
#include <cstring>

#include <amphibus/wire/topic_name.hpp>

namespace amphibus::zeromq {
namespace {

constexpr std::uint32_t control_magic = 0x43424d41;  // "AMBC"

class writer {
 public:
  template <class T>
  void number(T value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    out_.insert(out_.end(), bytes, bytes + sizeof value);
  }
  /// What is longer than the limit is cut: the peer would refuse the whole message, and never learn why.
  void text(const std::string& value) {
    const std::size_t size = std::min(value.size(), control_text_size_max_bytes);
    number(static_cast<std::uint16_t>(size));
    const auto* bytes = reinterpret_cast<const std::byte*>(value.data());
    out_.insert(out_.end(), bytes, bytes + size);
  }
  void topics(const std::vector<control_topic>& values) {
    number(static_cast<std::uint32_t>(values.size()));
    for (const control_topic& each : values) {
      text(each.name);
      number(each.route);
      text(each.type_name);
      number(each.major);
      number(each.schema_hash);
      number(static_cast<std::uint8_t>(each.subscribed));
    }
  }
  void patterns(const std::vector<control_pattern>& values) {
    number(static_cast<std::uint32_t>(values.size()));
    for (const control_pattern& each : values) {
      text(each.text);
      text(each.type_name);
      number(each.major);
    }
  }
  void groups(const std::vector<control_group>& values) {
    number(static_cast<std::uint32_t>(values.size()));
    for (const control_group& each : values) {
      text(each.of);
      text(each.name);
    }
  }
  void operator()(const hello& value) {
    number(value.protocol_min);
    number(value.protocol_max);
    text(value.process);
    number(value.routes_digest);
    number(static_cast<std::uint32_t>(value.data_endpoints.size()));
    for (const std::string& each : value.data_endpoints) text(each);
    number(value.revision);
    topics(value.topics);
    patterns(value.patterns);
    groups(value.groups);
  }
  void operator()(const update& value) {
    number(value.revision);
    topics(value.topics);
    patterns(value.patterns);
    groups(value.groups);
  }
  void operator()(const reject& value) {
    number(value.code);
    text(value.text);
  }
  void operator()(const observe& value) {
    number(value.protocol_min);
    number(value.protocol_max);
  }
  void operator()(const observed& value) {
    text(value.process);
    text(value.tap_endpoint);
  }
  void operator()(const describe& value) { text(value.topic); }
  void operator()(const described& value) {
    text(value.topic);
    text(value.type_name);
    number(value.major);
    number(value.schema_hash);
    number(static_cast<std::uint32_t>(value.binary_schema.size()));
    const auto* bytes = reinterpret_cast<const std::byte*>(value.binary_schema.data());
    out_.insert(out_.end(), bytes, bytes + value.binary_schema.size());
  }
  void operator()(const ready&) {}
  void operator()(const ping&) {}
  void operator()(const bye&) {}
  void operator()(const bye_ok&) {}
  std::vector<std::byte> take() { return std::move(out_); }

 private:
  std::vector<std::byte> out_;
};

/// Remembers the first thing that is wrong; after that every read gives nothing.
class reader {
 public:
  explicit reader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    T value{};
    if (rest_.size() < sizeof value) return fail("a control message ends too early"), value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  std::string text() {
    const std::size_t size = number<std::uint16_t>();
    if (size > control_text_size_max_bytes) return fail("a text in a control message is longer than 1,024 bytes"), "";
    if (size > rest_.size()) return fail("a text in a control message ends too early"), "";
    std::string value(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return value;
  }
  std::vector<control_topic> topics(std::size_t routes) {
    const std::size_t count = std::min<std::size_t>(number<std::uint32_t>(), control_topics_max + 1);
    std::vector<control_topic> out;
    for (std::size_t i = 0; i != count && wrong_ == nullptr; ++i) {
      control_topic each;
      each.name = text();
      each.route = number<std::uint32_t>();
      each.type_name = text();
      each.major = number<std::uint16_t>();
      each.schema_hash = number<std::uint64_t>();
      each.subscribed = number<std::uint8_t>() != 0;
      if (wrong_ == nullptr && !wire::check_topic_name(each.name).ok()) fail("a topic name breaks the grammar");
      if (each.route >= routes) fail("a topic names a route that does not exist");
      out.push_back(std::move(each));
    }
    return out;
  }
  std::vector<control_pattern> patterns() {
    const std::size_t count = number<std::uint32_t>();
    if (count > control_patterns_max)
      return fail("more than 1,000 patterns in a control message"), std::vector<control_pattern>{};
    std::vector<control_pattern> out;
    for (std::size_t i = 0; i != count && wrong_ == nullptr; ++i) {
      control_pattern each;
      each.text = text();
      each.type_name = text();
      each.major = number<std::uint16_t>();
      if (wrong_ == nullptr && !wire::check_topic_pattern(each.text).ok()) fail("a pattern breaks the grammar");
      out.push_back(std::move(each));
    }
    return out;
  }
  std::vector<control_group> groups() {
    const std::size_t count = number<std::uint32_t>();
    if (count > control_groups_max)
      return fail("more than 1,000 groups in a control message"), std::vector<control_group>{};
    std::vector<control_group> out;
    for (std::size_t i = 0; i != count && wrong_ == nullptr; ++i) {
      control_group each;
      each.of = text();
      each.name = text();
      if (wrong_ == nullptr && !wire::check_topic_pattern(each.of).ok()) fail("a group's pattern breaks the grammar");
      out.push_back(std::move(each));
    }
    return out;
  }
  template <class Message>
  void read_wants(Message& into, std::size_t routes) {
    into.topics = topics(routes);
    if (into.topics.size() > control_topics_max) return void(rest_ = {});  // one too many is enough for a refusal
    into.patterns = patterns();
    into.groups = groups();
  }
  hello read_hello() {
    hello out;
    out.protocol_min = number<std::uint16_t>();
    out.protocol_max = number<std::uint16_t>();
    const bool shared = out.protocol_min <= protocol_version && protocol_version <= out.protocol_max;
    if (!shared) return rest_ = {}, out;  // the rest may look different
    out.process = text();
    out.routes_digest = number<std::uint64_t>();
    const std::size_t routes = number<std::uint32_t>();
    if (routes > control_routes_max) return fail("more than 1,000 routes in a control message"), out;
    for (std::size_t i = 0; i != routes && wrong_ == nullptr; ++i) out.data_endpoints.push_back(text());
    out.revision = number<std::uint64_t>();
    read_wants(out, routes);
    return out;
  }
  update read_update() {
    update out;
    out.revision = number<std::uint64_t>();
    read_wants(out, control_routes_max);
    return out;
  }
  reject read_reject() {
    reject out;
    out.code = number<std::uint16_t>();
    out.text = text();
    return out;
  }
  observe read_observe() {
    observe out;
    out.protocol_min = number<std::uint16_t>();
    out.protocol_max = number<std::uint16_t>();
    const bool shared = out.protocol_min <= protocol_version && protocol_version <= out.protocol_max;
    if (!shared) rest_ = {};
    return out;
  }
  observed read_observed() {
    observed out;
    out.process = text();
    out.tap_endpoint = text();
    return out;
  }
  describe read_describe() {
    describe out{text()};
    if (wrong_ == nullptr && !wire::check_topic_name(out.topic).ok()) fail("a topic name breaks the grammar");
    return out;
  }
  described read_described() {
    described out;
    out.topic = read_describe().topic;
    out.type_name = text();
    out.major = number<std::uint16_t>();
    out.schema_hash = number<std::uint64_t>();
    const std::size_t size = number<std::uint32_t>();
    if (size > control_schema_size_max_bytes) return fail("a schema in a control message is larger than 256 KiB"), out;
    if (size > rest_.size()) return fail("a schema in a control message ends too early"), out;
    out.binary_schema.assign(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return out;
  }
  const char* finish() {
    if (wrong_ == nullptr && !rest_.empty()) fail("bytes are left after a control message");
    return wrong_;
  }
  void fail(const char* what) {
    if (wrong_ == nullptr) wrong_ = what;
    rest_ = {};
  }

 private:
  std::span<const std::byte> rest_;
  const char* wrong_ = nullptr;
};

}  // namespace

std::vector<std::byte> encode(const control_message& message) {
  writer out;
  out.number(control_magic);
  out.number(static_cast<std::uint32_t>(message.body.index()));
  out.number(message.incarnation);
  std::visit(out, message.body);
  return out.take();
}

const char* decode(std::span<const std::byte> bytes, control_message& into) {
  reader in(bytes);
  if (in.number<std::uint32_t>() != control_magic) return "wrong magic: not an Amphibus control message";
  const auto type = in.number<std::uint32_t>();
  into.incarnation = in.number<std::uint64_t>();
  switch (type) {
    case 0: into.body = in.read_hello(); break;
    case 1: into.body = in.read_update(); break;
    case 2: into.body = ready{}; break;
    case 3: into.body = ping{}; break;
    case 4: into.body = bye{}; break;
    case 5: into.body = bye_ok{}; break;
    case 6: into.body = in.read_reject(); break;
    case 7: into.body = in.read_observe(); break;
    case 8: into.body = in.read_observed(); break;
    case 9: into.body = in.read_describe(); break;
    case 10: into.body = in.read_described(); break;
    default: return "unknown type of control message";
  }
  return in.finish();
}

}  // namespace amphibus::zeromq
