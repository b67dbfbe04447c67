#include "session.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>

#include <amphibus/base/pause.hpp>
#include <amphibus/base/this_thread.hpp>

namespace amphibus::zeromq {
namespace {

constexpr int yields_before_sleep = 3;
constexpr int data_turns_per_control_turn = 16;         // asking an empty socket costs a system call …
constexpr auto silence_max = std::chrono::seconds(10);  // of a stranger on an endpoint that we read
// What libzmq may take for a topic that somebody subscribes: a node for each byte, and a table of 256 pointers where
// names part. (6 KB were measured for 200 bytes in a row.) With 20,000 topics of the longest names a peer stays below.
constexpr std::uint64_t cost_per_byte = 32;
constexpr std::uint64_t cost_per_subscription = 2'300;
constexpr std::size_t subscriptions_max_bytes = std::size_t{224} << 20U;
constexpr std::size_t hello_max_bytes = std::size_t{8} << 20U;         // of 20,000 topics with the longest names
constexpr auto control_turn_interval = std::chrono::milliseconds(50);  // … but a peer takes silence for death

/// Whether both subscribe the same, whatever else they have.
bool same_interests(const update& a, const update& b) {
  const auto wanted = [](const update& of) {
    std::vector<std::string_view> out;
    for (const control_topic& each : of.topics) {
      if (each.subscribed) out.emplace_back(each.name);
    }
    return out;
  };
  return a.patterns == b.patterns && wanted(a) == wanted(b);
}

}  // namespace

session::session(transport::settings with, const options& chosen, transport::host& host)
    : settings_(std::move(with)),
      options_(chosen),
      host_(host),
      observers_({settings_.process, host.incarnation(), chosen.observers_max, 2 * chosen.ping_interval},
                 {[this] { return open_tap(); }, [this](const std::string& topic) { return describe_topic(topic); }}) {
  control_ = parse_endpoint(settings_.endpoint, options_.allow_plain_network).value();
  advertised_ = parse_endpoint(settings_.advertise, true).value();
  context_.set(zmq::ctxopt::blocky, 0);
  bind_control();
  bind_routes();
  make_guards();
  make_peers();
  for (const auto& each : peers_) missing_.push_back(each->talk.peer_process());
  thread_ = std::thread([this] { run(); });
}

session::~session() {
  stop_requested_.store(true, std::memory_order_release);
  waker_.wake();
  thread_.join();
}

void session::bind_control() {
  if (control_.ipc) lock_ = path_lock(control_.path);
  router_ = zmq::socket_t(context_, zmq::socket_type::router);
  prepare_control(router_);
  router_.set(zmq::sockopt::router_mandatory, 1);
  try {
    router_.bind(settings_.endpoint);
  } catch (const zmq::error_t& failure) {
    const bool in_use = failure.num() == EADDRINUSE;
    throw error(in_use ? error_code::endpoint_in_use : error_code::endpoint_invalid,
                "cannot bind the endpoint '" + settings_.endpoint + "': " + failure.what(),
                in_use ? "stop the process that holds it, or give this process an endpoint of its own"
                       : "use an address of this machine, or an existing directory for ipc",
                {settings_.endpoint});
  }
}

void session::bind_routes() {
  for (std::size_t i = 0; i != settings_.routes.size(); ++i) {
    const bool block = blocks(i);
    zmq::socket_t socket(context_, zmq::socket_type::xpub);
    prepare_publishing(socket, options_.pipe_max_bytes, block);
    cut_stopped_peers(socket, settings_.peer_stall_max);
    socket.set(zmq::sockopt::xpub_nodrop, block ? 1 : 0);
    socket.set(zmq::sockopt::xpub_verboser, 1);  // everything that came, for the guard and for markers that repeat
    data_endpoints_.push_back(bind_beside(socket, control_, advertised_, "r" + std::to_string(i)));
    routes_.push_back(std::make_unique<outbound>(
        std::move(socket),
        outbound::settings{block, settings_.message_size_max_bytes, options_.idle_repeat_after,
                           options_.pipe_max_bytes},
        host_.egress_of(i), host_,
        outbound::callbacks{[this] { announce_changes(host_.clock().now()); }, [this] { waker_.wake(); }}));
  }
}

bool session::blocks(std::size_t route) const {
  return settings_.routes.at(route).overflow == transport::egress_overflow::block;
}

void session::make_guards() {
  if (control_.ipc) return;
  guard_limits with;
  with.silence_max = silence_max;
  with.held_sum_max_bytes += settings_.peers.size() * hello_max_bytes;  // all may come at once
  control_guard_ = std::make_unique<connection_guard>(context_, router_, with, base::steady_clock());
  std::vector<std::unique_ptr<connection_guard>> of_routes;
  for (const auto& each : routes_) of_routes.push_back(guard_publishing(each->socket(), silence_max));
  route_guards_ = start_guards(std::move(of_routes));
}

std::unique_ptr<connection_guard> session::guard_publishing(zmq::socket_t& socket, base::duration silence) {
  guard_limits with;
  with.cost_per_byte = cost_per_byte;
  with.cost_per_subscription = cost_per_subscription;
  with.held_max_bytes = subscriptions_max_bytes;
  with.held_sum_max_bytes = (2 + settings_.peers.size()) * subscriptions_max_bytes;
  with.heartbeat_bytes_per_second = heartbeat_bytes_per_second(settings_.peer_stall_max);
  with.silence_max = silence;
  return std::make_unique<connection_guard>(context_, socket, with, base::steady_clock());
}

std::unique_ptr<guard_thread> session::start_guards(std::vector<std::unique_ptr<connection_guard>> guards) {
  return std::make_unique<guard_thread>(std::move(guards), base::steady_clock(), [this](std::size_t count) {
    connections_cut_.fetch_add(count, std::memory_order_release);
    waker_.wake();
  });
}

void session::make_peers() {
  for (std::size_t i = 0; i != settings_.peers.size(); ++i) {
    link_settings with;
    with.own_process = settings_.process;
    with.peer_process = settings_.peers[i].process;
    with.connects = i < settings_.own_position;  // the later one in the file connects to the earlier one
    with.routes_digest = settings_.routes_digest;
    with.data_endpoints = data_endpoints_;
    with.ping_interval = options_.ping_interval;
    const bool connects = with.connects;
    peers_.push_back(std::make_unique<peer>(std::move(with)));
    peers_.back()->endpoint = settings_.peers[i].endpoint;
    peers_.back()->connects = connects;
  }
}

void session::topics_changed() noexcept {
  topics_changed_.store(true, std::memory_order_release);
  waker_.wake();
}

void session::start_confirming() noexcept {
  confirm_requested_.store(true, std::memory_order_release);
  waker_.wake();
}

std::vector<std::string> session::missing_peers() const {
  const std::lock_guard lock(mutex_);
  return missing_;
}

std::vector<std::string> session::close(base::time_point deadline) {
  goodbye_requested_.store(true, std::memory_order_release);
  waker_.wake();
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (goodbye_said_ && unsettled_.empty()) return {};
    }
    if (host_.clock().park_until(settled_parker_, deadline)) continue;
    const std::lock_guard lock(mutex_);
    return unsettled_;
  }
}

void session::run() {
  base::block_signals_in_this_thread();
  const auto start = host_.clock().now();
  for (const auto& each : peers_) {
    if (each->connects) connect(*each, start);
  }
  int idle_turns = 0;
  while (!stop_requested_.load(std::memory_order_acquire)) {
    const auto now = host_.clock().now();
    if (turn(now, false)) {
      idle_turns = 0;
    } else if (++idle_turns <= yields_before_sleep || expects_room(now)) {
      std::this_thread::yield();
    } else {
      sleep(now);
      idle_turns = 0;
    }
  }
}

bool session::expects_room(base::time_point now) const {
  return std::any_of(routes_.begin(), routes_.end(), [now](const auto& each) { return each->expects_room(now); });
}

bool session::turn(base::time_point now, bool whole) {
  take_requests(now);
  bool moved = false;
  for (const auto& each : peers_) {
    for (const auto& route : each->data) moved |= route->work(now);
  }
  for (const auto& each : routes_) moved |= each->work(now);
  if (whole || ++data_turns_ == data_turns_per_control_turn || now - last_control_turn_ >= control_turn_interval) {
    data_turns_ = 0;
    last_control_turn_ = now;
    moved |= control_turn(now);
  }
  return moved;
}

bool session::control_turn(base::time_point now) {
  bool moved = receive_router(now);
  for (const auto& each : peers_) {
    if (each->connects) moved |= receive_dealer(*each, now);
  }
  for (std::size_t i = 0; i != routes_.size(); ++i) moved |= receive_markers(i);
  watch_connections();
  for (const auto& each : peers_) {
    if (now >= each->talk.next_timer()) each->talk.on_timer(now);
    perform(*each, now);
  }
  if (now >= observers_.next_timer()) forget_observers(now);
  update_readiness(now);
  return moved;
}

bool session::prepare_to_sleep() {
  bool quiet = true;
  for (const auto& each : routes_) quiet &= each->prepare_to_sleep();
  return quiet;
}

base::time_point session::next_timer() const {
  auto earliest = observers_.next_timer();
  for (const auto& each : peers_) {
    earliest = std::min(earliest, each->talk.next_timer());
    for (const auto& route : each->data) earliest = std::min(earliest, route->next_timer());
  }
  for (const auto& each : routes_) earliest = std::min(earliest, each->next_timer());
  return earliest;
}

void session::sleep(base::time_point now) {
  waker_.clear();
  // A request that came before the clear is seen by turn(); one that comes after makes the poll return.
  if (topics_changed_.load() || stop_requested_.load() || goodbye_requested_.load() != said_goodbye_ ||
      confirm_requested_.load() || turn(now, true) || !prepare_to_sleep()) {
    return;
  }
  std::vector<zmq::pollitem_t> watched{{nullptr, waker_.descriptor(), ZMQ_POLLIN, 0},
                                       {router_.handle(), 0, ZMQ_POLLIN, 0}};
  for (const auto& each : peers_) {
    if (each->connects) watched.push_back({each->dealer.handle(), 0, ZMQ_POLLIN, 0});
    for (const auto& route : each->data) {
      if (!route->pending()) watched.push_back({route->socket().handle(), 0, ZMQ_POLLIN, 0});
    }
  }
  for (const auto& each : routes_) watched.push_back({each->socket().handle(), 0, ZMQ_POLLIN, 0});
  const auto of_guard = static_cast<std::ptrdiff_t>(watched.size());
  auto left = time_left(next_timer(), host_.clock());
  if (control_guard_) {
    watch_guard(*control_guard_, watched);
    left = std::min(left, time_left(control_guard_->next_timer(), base::steady_clock()));
  }
  try {
    zmq::poll(watched, poll_time(left));
  } catch (const zmq::error_t& why) {
    if (why.num() != EINTR) throw;  // a debugger, or a stop and a continuation
  }
  connections_stirred_ = std::any_of(watched.begin() + of_guard, watched.end(),
                                     [](const zmq::pollitem_t& each) { return each.revents != 0; });
}

void session::take_requests(base::time_point now) {
  announce_changes(now);
  if (confirm_requested_.exchange(false, std::memory_order_acq_rel)) {
    confirming_ = true;
    all_ready_ = false;  // whoever asks again is answered again, for the topics of now
    topics_changed_.store(true, std::memory_order_relaxed);
    announce_changes(now);
    update_readiness(now);
  }
  if (!said_goodbye_ && goodbye_requested_.load(std::memory_order_acquire)) say_goodbye(now);
}

void session::announce_changes(base::time_point now) {
  if (!topics_changed_.exchange(false, std::memory_order_acq_rel)) return;
  update all{own_.revision, {}, {}, {}};
  for (const transport::topic_info& each : host_.topics()) {
    all.topics.push_back({each.name, static_cast<std::uint32_t>(each.route), each.type_name, each.major,
                          each.schema_hash, each.subscribed});
    if (!each.binary_schema.empty()) schemas_.insert_or_assign(each.type_name, each.binary_schema);
  }
  for (const transport::pattern_info& each : host_.patterns()) {
    all.patterns.push_back({each.text, each.type_name, each.major});
  }
  for (const transport::group_info& each : host_.groups()) all.groups.push_back({each.of, each.name});
  if (all.topics == own_.topics && all.patterns == own_.patterns && all.groups == own_.groups) return;
  const bool other_interests = !same_interests(all, own_);
  if (other_interests) ++all.revision;
  own_ = std::move(all);
  for (const auto& each : peers_) {
    // First the control message, then the marker: the peer answers the marker only when it knows this revision.
    each->talk.on_local_change(now, own_);
    perform(*each, now);
    if (other_interests) subscribe(*each);
  }
}

inbound::interests session::interests_on(std::size_t route) const {
  inbound::interests out;
  for (const control_topic& each : own_.topics) {
    if (each.subscribed && each.route == route) out.topics.insert(each.name);
  }
  for (const control_pattern& each : own_.patterns) out.patterns.insert(each.text);
  return out;
}

void session::subscribe(peer& at) {
  for (std::size_t route = 0; route != at.data.size(); ++route) {
    at.data[route]->subscribe(interests_on(route), host_.incarnation(), own_.revision);
  }
  for (std::size_t route = 0; route != at.came_so_far.size(); ++route) {
    at.came_so_far[route].keep(interests_on(route));
  }
}

void session::update_readiness(base::time_point now) {
  const bool confirmed =
      confirming_ && std::all_of(peers_.begin(), peers_.end(), [](auto& p) { return p->talk.confirmed(); });
  std::vector<std::string> missing;
  std::vector<std::string> unsettled;
  for (const auto& each : peers_) {
    if (confirmed) each->talk.announce_ready(now);
    perform(*each, now);
    if (!each->talk.peer_ready() || !each->talk.confirmed()) missing.push_back(each->talk.peer_process());
    if (!each->talk.settled()) unsettled.push_back(each->talk.peer_process());
  }
  const bool settled = said_goodbye_ && unsettled.empty();
  const bool ready = confirming_ && missing.empty();
  {
    const std::lock_guard lock(mutex_);
    missing_ = std::move(missing);
    unsettled_ = std::move(unsettled);
    goodbye_said_ = said_goodbye_;
  }
  if (settled) settled_parker_.unpark();
  if (ready != std::exchange(all_ready_, ready)) host_.set_all_peers_ready(ready);
}

void session::say_goodbye(base::time_point now) {
  bool flushed = true;
  for (const auto& each : routes_) flushed &= !each->has_backlog();
  if (!flushed) return;  // asked again next turn; close() has the deadline
  said_goodbye_ = true;
  for (const auto& each : routes_) each->send_goodbye(now);
  for (const auto& each : peers_) each->talk.say_bye(now);
  for (const auto& [id, heard] : observers_.known()) send_to(id, bye{});
}

}  // namespace amphibus::zeromq
