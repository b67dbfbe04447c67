#include "detail/placement.hpp"

#include <algorithm>

#include <amphibus/wire/topic_name.hpp>

namespace amphibus::detail {

/// One topic's ingress: the typed half decodes and publishes, this half is what the transport sees.
class ingress_port final : public transport::ingress {
 public:
  explicit ingress_port(std::shared_ptr<remote_input> input) : input_(std::move(input)) {}

  transport::delivery_progress deliver(const wire::received_run& messages) override {
    const input_progress made = input_->deliver(messages);
    return {made.count, outcome_of(made.next)};
  }

 private:
  static transport::delivery outcome_of(input_result what) noexcept {
    switch (what) {
      case input_result::delivered: return transport::delivery::delivered;
      case input_result::full: return transport::delivery::full;
      case input_result::undecodable: return transport::delivery::undecodable;
      case input_result::no_subscriber: break;
    }
    return transport::delivery::no_subscriber;
  }

  std::shared_ptr<remote_input> input_;
};

namespace {

error codec_missing(const topic_core& topic) {
  const std::string type(topic.type().name);
  return {error_code::missing_codec,
          "topic '" + topic.name() + "' is routed to another process, but its type " + type + " has no codec",
          "make a codec visible where the topic constant is defined: generate it with amphibus_add_schemas(), list the "
          "fields of a plain struct with AMPHIBUS_POD(" +
              type +
              ", 1, ...), or write\n"
              "    template <> struct amphibus::codec<" +
              type +
              "> {\n"
              "      static constexpr std::string_view type_name = \"" +
              type +
              "\";\n"
              "      static constexpr std::uint16_t major = 1;\n"
              "      static constexpr std::uint64_t schema_hash = 1;\n"
              "      static bool encode(const " +
              type +
              "&, amphibus::wire::byte_writer&);\n"
              "      static bool decode(std::span<const std::byte>, " +
              type +
              "&);\n"
              "    };"};
}

std::string_view name_of(transport::level which) noexcept {
  switch (which) {
    case transport::level::best_effort: return "best_effort";
  }
  return "unknown";
}

error level_not_kept(const transport::transport& which, const transport::route_settings& route) {
  const std::string transport(which.name());
  const std::string level(name_of(route.asked));
  std::string kept;
  for (const transport::level each : which.capabilities().levels)
    kept += (kept.empty() ? "" : ", ") + std::string(name_of(each));
  return {error_code::unsupported_level,
          "route '" + route.pattern + "' asks for level " + level + ", which transport '" + transport +
              "' does not keep; it keeps: " + (kept.empty() ? "none" : kept),
          "ask for a level that it keeps, or give the route another transport",
          {"route." + route.pattern}};
}

error retention_not_kept(const transport::transport& which, const config::route& route, const std::string& who) {
  return {error_code::unsupported_retention,
          who + " '" + route.topic.value + "' goes over transport '" + std::string(which.name()) +
              "', which hands nothing that was published before to a process that joins",
          "keep the topic in the process, by a route with transport = \"inproc\" before this one, or retain nothing "
          "there (`retain = \"nothing\"`); it comes with level reliable",
          route.where};
}

transport::egress_overflow overflow_of(const config::route& from) noexcept {
  return from.overflow.value == config::overflow::block ? transport::egress_overflow::block
                                                        : transport::egress_overflow::drop_newest;
}

std::unique_ptr<egress_queue> make_egress(bus_core& core, const config::route& from) {
  const auto kind =
      from.overflow.value == config::overflow::block ? queue::overflow_kind::block : queue::overflow_kind::drop_newest;
  return std::make_unique<egress_queue>(core, "route " + from.topic.value,
                                        queue::overflow_rule{kind, from.block_timeout.value});
}

}  // namespace

transport_host::transport_host(bus_core& core, transport::transport& which, std::vector<std::size_t> routes)
    : core_(core), transport_(which), routes_(std::move(routes)) {}

transport_host::~transport_host() {
  for (const auto& each : egresses_) each->set_waker(nullptr);
  session_.reset();
  for (const auto& each : egresses_) each->discard();  // the topics, which keep it, go one after the other
}

void transport_host::ingress_waker::space_available() noexcept {
  if (transport::waker* const known = waker.load(std::memory_order_acquire)) known->wake();
}

bool transport_host::carries(std::size_t file_route) const noexcept {
  return std::find(routes_.begin(), routes_.end(), file_route) != routes_.end();
}

bool transport_host::carries(const topic_core& topic) const noexcept {
  return topic.route() >= 0 && carries(static_cast<std::size_t>(topic.route()));
}

std::vector<transport::topic_info> transport_host::topics() const {
  std::vector<transport::topic_info> out;
  for (const topic_core* topic : core_.named_topics()) {
    const auto found = std::find(routes_.begin(), routes_.end(), static_cast<std::size_t>(topic->route()));
    if (topic->route() < 0 || found == routes_.end()) continue;
    const wire::codec_operations& codec = *topic->codec();
    out.push_back({topic->name(), static_cast<std::size_t>(found - routes_.begin()), std::string(codec.type_name),
                   codec.major, codec.schema_hash, topic->subscribed_by_name(), codec.binary_schema});
  }
  return out;
}

std::vector<transport::pattern_info> transport_host::patterns() const {
  std::vector<transport::pattern_info> out;
  for (const interest& each : core_.all_patterns()) {
    if (!each.reaches_out()) continue;
    transport::pattern_info& info = out.emplace_back(transport::pattern_info{each.pattern, "", 0});
    if (each.codec == nullptr) continue;
    info.type_name = each.codec->type_name;
    info.major = each.codec->major;
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<transport::group_info> transport_host::groups() const {
  std::vector<transport::group_info> out;
  for (const bus_core::named_group& each : core_.all_groups()) {
    const bool leaves = each.of.topic != nullptr ? carries(*each.of.topic) : each.of.reaches_out();
    if (leaves) out.push_back({each.of.topic != nullptr ? each.of.topic->name() : each.of.pattern, each.name});
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void transport_host::offer_topic(const transport::topic_info& of_peer) {
  core_.offer_topic({of_peer.name, of_peer.type_name, of_peer.major});
}

transport::ingress* transport_host::find_ingress(const transport::topic_info& of_peer) {
  topic_core* const known = core_.find_topic(of_peer.name);
  if (known == nullptr || !carries(*known) || !known->subscribed()) return nullptr;
  const wire::codec_operations& codec = *known->codec();
  if (codec.type_name != of_peer.type_name || codec.major != of_peer.major) return nullptr;
  auto& port = ingresses_[of_peer.name];
  if (!port) port = std::make_unique<ingress_port>(known->type().make_input(core_, *known, codec, waker_));
  return port.get();
}

void transport_host::set_remote_interest(std::string_view topic, bool wanted) {
  {
    const std::lock_guard lock(mutex_);
    wanted ? void(wanted_.emplace(topic)) : void(wanted_.erase(std::string(topic)));
  }
  if (topic_core* const known = core_.find_topic(topic)) {
    const std::lock_guard lock(mutex_);
    apply_interest(*known);
  }
  core_.bump_version();
}

void transport_host::set_remote_pattern(const transport::pattern_info& which, bool wanted) {
  {
    const std::lock_guard lock(mutex_);
    wanted ? void(wanted_patterns_.insert(which)) : void(wanted_patterns_.erase(which));
  }
  // A topic that is made meanwhile sees the pattern, or is in this list: place() runs under the lock of the list.
  for (topic_core* each : core_.all_topics()) {
    if (!wire::topic_matches(which.text, each->name())) continue;
    const std::lock_guard lock(mutex_);
    apply_interest(*each);
  }
  core_.bump_version();
}

void transport_host::apply_interest(topic_core& to) const {
  if (!carries(to)) return;
  const wire::codec_operations& codec = *to.codec();
  const bool covered =
      std::any_of(wanted_patterns_.begin(), wanted_patterns_.end(), [&](const transport::pattern_info& each) {
        const bool fits = each.type_name.empty() || (each.type_name == codec.type_name && each.major == codec.major);
        return fits && wire::topic_matches(each.text, to.name());
      });
  to.set_remote_interest(covered || wanted_.contains(to.name()));
}

void transport_host::count_bytes(std::uint64_t sent, std::uint64_t received) noexcept {
  sent_bytes_.fetch_add(sent, std::memory_order_relaxed);
  received_bytes_.fetch_add(received, std::memory_order_relaxed);
}

wire_counters transport_host::bytes() const noexcept {
  return {sent_bytes_.load(std::memory_order_relaxed), received_bytes_.load(std::memory_order_relaxed)};
}

void transport_host::set_all_peers_ready(bool ready) {
  {
    const std::lock_guard lock(mutex_);
    ready_ = ready;
  }
  changed_.unpark();
}

void transport_host::start_confirming() {
  {
    const std::lock_guard lock(mutex_);
    ready_ = false;  // the session says it again, for what is subscribed now
  }
  session_->start_confirming();
}

void transport_host::fail(error why) {
  {
    const std::lock_guard lock(mutex_);
    if (!failed_) failed_ = std::move(why);
  }
  changed_.unpark();
}

void transport_host::open(transport::settings with) {
  session_ = std::move(transport_.open(std::move(with), *this)).value();
  waker_.waker.store(&session_->wake_handle(), std::memory_order_release);
  for (const auto& each : egresses_) each->set_waker(&session_->wake_handle());
  session_->wake_handle().wake();
}

void transport_host::place(topic_core& created, std::size_t file_route) {
  const auto position = std::find(routes_.begin(), routes_.end(), file_route) - routes_.begin();
  const auto& egress = egresses_[static_cast<std::size_t>(position)];
  created.set_route(file_route, egress, egress->has_dropped());
  egress->add_topic(created);
  const std::lock_guard lock(mutex_);
  apply_interest(created);
}

std::vector<std::string> transport_host::close(base::time_point deadline) {
  return session_ ? session_->close(deadline) : std::vector<std::string>{};
}

void transport_host::collect(std::vector<std::pair<std::string, std::shared_ptr<queue::inbox_base>>>& out) const {
  for (const auto& each : egresses_) out.emplace_back(each->name(), each);
}

std::optional<error> transport_host::wait_until_ready(base::time_point deadline) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (failed_) return failed_;
      if (ready_) return std::nullopt;
    }
    if (core_.clock().park_until(changed_, deadline)) continue;
    std::string missing;
    for (const std::string& each : session_->missing_peers()) missing += (missing.empty() ? "" : ", ") + each;
    return error(error_code::not_ready, "these processes did not confirm before ready_deadline: " + missing,
                 "start them (or all with `up --config FILE`), check that they use the same file, or raise "
                 "[limits] ready_deadline");
  }
}

placement::placement(bus_core& core, const config::configuration& from, std::string process,
                     const std::vector<std::unique_ptr<transport::transport>>& transports)
    : core_(core), config_(from), process_(std::move(process)) {
  if (config_.processes.size() < 2) return;  // nobody to talk to: every route stays in the process
  for (const auto& each : transports) {
    std::vector<std::size_t> routes;
    for (std::size_t i = 0; i != config_.routes.size(); ++i) {
      if (config_.routes[i].transport.value == each->name()) routes.push_back(i);
    }
    if (routes.empty()) continue;
    transports_.push_back(each.get());
    hosts_.push_back(std::make_unique<transport_host>(core_, *each, routes));
    for (const std::size_t route : routes) hosts_.back()->add_route(make_egress(core_, config_.routes[route]));
  }
}

placement::placement(bus_core& core, const config::configuration& from, std::string process,
                     std::vector<std::unique_ptr<transport::transport>>&& transports)
    : placement(core, from, std::move(process), std::as_const(transports)) {
  kept_ = std::move(transports);
}

void placement::place(topic_core& created) {
  const auto route = config::find_route(config_, created.name());
  if (!route) return;
  for (const auto& each : hosts_) {
    if (!each->carries(*route)) continue;
    if (created.codec() == nullptr) throw codec_missing(created);
    each->place(created, *route);
    if (each->session() != nullptr) each->session()->topics_changed();
  }
}

queue::retain_rule placement::retained(std::string_view topic, const queue::retain_rule& asked) const {
  const auto route = config::find_route(config_, topic);
  if (!route) return asked;
  const config::route& by = config_.routes[*route];
  const queue::retain_rule rule = by.retain.from.kind == config::origin_kind::code ? asked : by.retain.value;
  if (rule.per_key == 0) return rule;
  for (const auto& each : hosts_) {
    if (each->carries(*route) && !each->carrier().capabilities().retains)
      throw retention_not_kept(each->carrier(), by,
                               "topic '" + std::string(topic) + "' retains messages, but its route");
  }
  return rule;
}

void placement::topics_changed() noexcept {
  for (const auto& each : hosts_) {
    if (each->session() != nullptr) each->session()->topics_changed();
  }
}

void placement::collect(std::vector<std::pair<std::string, std::shared_ptr<queue::inbox_base>>>& egresses) const {
  for (const auto& each : hosts_) each->collect(egresses);
}

std::vector<std::string> placement::close(base::time_point deadline) {
  std::vector<std::string> silent;
  for (const auto& each : hosts_) {
    auto of_one = each->close(deadline);
    silent.insert(silent.end(), of_one.begin(), of_one.end());
  }
  return silent;
}

transport::settings placement::settings_for(const transport::transport& which) const {
  transport::settings out;
  out.process = process_;
  out.routes_digest = config::routes_digest(config_);
  out.message_size_max_bytes = config_.message_size_max_bytes.value;
  out.peer_stall_max = config_.peer_stall_max.value;
  for (std::size_t i = 0; i != config_.processes.size(); ++i) {
    const config::process& each = config_.processes[i];
    const std::string& advertised = each.advertise.value.empty() ? each.endpoint.value : each.advertise.value;
    if (each.name != process_) {
      out.peers.push_back({each.name, advertised});
      continue;
    }
    out.endpoint = each.endpoint.value;
    out.advertise = advertised;
    out.own_position = i;
  }
  for (const config::route& each : config_.routes) {
    if (each.transport.value != which.name()) continue;
    out.routes.push_back(
        {each.topic.value, transport::level::best_effort, overflow_of(each), each.block_timeout.value});
  }
  return out;
}

std::vector<error> placement::check() const {
  std::vector<error> out;
  for (const transport::transport* each : transports_) {
    const transport::settings with = settings_for(*each);
    for (const config::route& route : config_.routes) {
      const bool retains = route.retain.value.per_key != 0 && route.transport.value == each->name();
      if (retains && !each->capabilities().retains)
        out.push_back(retention_not_kept(*each, route, "retain is set, but route"));
    }
    const auto kept = each->capabilities().levels;
    for (const transport::route_settings& route : with.routes) {
      if (std::find(kept.begin(), kept.end(), route.asked) == kept.end()) out.push_back(level_not_kept(*each, route));
    }
    auto found = each->check(with);
    std::move(found.begin(), found.end(), std::back_inserter(out));
  }
  return out;
}

void placement::open() {
  for (std::size_t i = 0; i != hosts_.size(); ++i) hosts_[i]->open(settings_for(*transports_[i]));
}

std::optional<error> placement::wait_until_ready(base::time_point deadline) {
  for (const auto& each : hosts_) each->start_confirming();
  for (const auto& each : hosts_) {
    if (auto why = each->wait_until_ready(deadline)) return why;
  }
  core_.report({event_kind::ready, "", "", "", 0, "every process of the file has confirmed"});
  return std::nullopt;
}

wire_counters placement::bytes() const noexcept {
  wire_counters sum;
  for (const auto& each : hosts_) {
    sum.sent_bytes += each->bytes().sent_bytes;
    sum.received_bytes += each->bytes().received_bytes;
  }
  return sum;
}

}  // namespace amphibus::detail
