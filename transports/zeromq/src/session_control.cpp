// The control side of a session: frames in, link actions out.
#include <algorithm>

#include <amphibus/base/event.hpp>

#include "session.hpp"

namespace amphibus::zeromq {
namespace {

constexpr int messages_per_turn = 64;
constexpr int requests_per_turn = 4'096;  // who subscribes without end must not keep everything else waiting
constexpr std::size_t unclaimed_markers_max = 1'024;
constexpr std::size_t subscribe_size_bytes = 9;  // ZMTP 3.1 says SUBSCRIBE, libzmq hands out one byte for it
constexpr auto watch_interval = std::chrono::milliseconds(50);
constexpr auto report_interval = std::chrono::seconds(1);

std::span<const std::byte> bytes_of(const zmq::message_t& frame) { return {frame.data<std::byte>(), frame.size()}; }

/// All frames of one message; an outsider may send any number, of which at most three are kept.
std::vector<zmq::message_t> receive_all(zmq::socket_t& from, connection_guard* guard = nullptr) {
  std::vector<zmq::message_t> frames;
  std::size_t wire_size = 0;
  for (;;) {
    zmq::message_t next;
    if (!from.recv(next, zmq::recv_flags::dontwait)) return frames;
    const bool more = next.more();
    // The first frame of a ROUTER is its name for the connection, which did not come over the wire.
    if (guard == nullptr || !frames.empty()) wire_size += wire_size_of(next.size());
    if (!more && guard != nullptr) guard->count_taken(next, wire_size);
    if (frames.size() < 3) frames.push_back(std::move(next));
    if (!more) return frames;
  }
}

transport::topic_info info_of(const control_topic& from) {
  return {from.name, from.route, from.type_name, from.major, from.schema_hash, from.subscribed};
}

std::optional<transport::topic_info> announced_by(const link& peer, std::string_view topic) {
  const control_topic* const known = peer.find_announced(topic);
  return known == nullptr ? std::nullopt : std::optional(info_of(*known));
}

}  // namespace

session::peer* session::find_peer(std::string_view process) {
  const auto found =
      std::find_if(peers_.begin(), peers_.end(), [&](const auto& p) { return p->talk.peer_process() == process; });
  return found == peers_.end() ? nullptr : found->get();
}

bool session::receive_router(base::time_point now) {
  for (int i = 0; i != messages_per_turn; ++i) {
    const auto frames = receive_all(router_, control_guard_.get());
    if (frames.empty()) return i != 0;
    control_message message;
    const char* wrong = frames.size() != 2 ? "not two frames" : decode(bytes_of(frames[1]), message);
    if (wrong != nullptr) {
      reject_input("control endpoint", wrong);
      continue;
    }
    const std::string id = frames[0].to_string();
    if (receive_observer(id, message, now)) {
      if (control_guard_) control_guard_->keep(frames[1]);
      continue;
    }
    const auto* greeting = std::get_if<hello>(&message.body);
    const auto known = std::find_if(peers_.begin(), peers_.end(), [&](const auto& p) { return p->routing_id == id; });
    peer* from = known != peers_.end() ? known->get() : greeting != nullptr ? find_peer(greeting->process) : nullptr;
    // A hello of another protocol has no name we could read: any peer that is not there yet may be meant.
    if (from == nullptr && greeting != nullptr && greeting->process.empty()) {
      for (const auto& each : peers_) from = !each->connects && !each->talk.established() ? each.get() : from;
    }
    if (from == nullptr || from->connects) {
      reject_input("control endpoint", "a message of a process that is not in the file or did not say hello");
      continue;
    }
    if (control_guard_) control_guard_->keep(frames[1]);
    if (greeting != nullptr && !may_greet(*from, id, *greeting)) continue;
    from->routing_id = id;
    from->talk.on_message(now, message);
    perform(*from, now);
  }
  return true;
}

bool session::may_greet(const peer& as, const std::string& routing_id, const hello& greeting) {
  // Each hello is answered with ours: one per connection, or what nobody reads would pile up in libzmq.
  if (as.routing_id == routing_id) {
    reject_input("control endpoint", "a second hello on one connection");
    return false;
  }
  if (!as.talk.established()) return true;
  const auto why = as.talk.objection(greeting);
  if (!why) return true;
  // Whoever it is, the process that is connected must not suffer for it. Should it be that process with another file,
  // the one before is gone and its silence will tell.
  send_to(routing_id, rejection(*why));
  reject_input("control endpoint", "a hello that is refused, in the name of a process that is connected");
  return false;
}

void session::send_to(const std::string& routing_id, const control_body& body) {
  const auto bytes = encode({host_.incarnation(), body});
  try {
    zmq::message_t to(routing_id.data(), routing_id.size());
    if (!router_.send(to, zmq::send_flags::sndmore | zmq::send_flags::dontwait)) return;
    static_cast<void>(router_.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::dontwait));
  } catch (const zmq::error_t&) {
    // The connection is gone (EHOSTUNREACH): silence will tell the link, and a new hello replaces the routing id.
  }
}

bool session::receive_dealer(peer& from, base::time_point now) {
  for (int i = 0; i != messages_per_turn; ++i) {
    const auto frames = receive_all(from.dealer);
    if (frames.empty()) return i != 0;
    control_message message;
    const char* wrong = frames.size() != 1 ? "not one frame" : decode(bytes_of(frames[0]), message);
    if (wrong != nullptr) {
      reject_input(from.talk.peer_process(), wrong);
      continue;
    }
    from.talk.on_message(now, message);
    perform(from, now);
  }
  return true;
}

bool session::receive_markers(std::size_t route) {
  bool moved = false;
  zmq::message_t request;
  for (int i = 0; i != requests_per_turn && routes_[route]->socket().recv(request, zmq::recv_flags::dontwait); ++i) {
    moved = true;
    if (route_guards_) {
      route_guards_->guard(route).count_taken(request, wire_size_of(request.size()) + subscribe_size_bytes);
      route_guards_->guard(route).count_subscription(request);
    }
    const std::string_view text(request.data<char>(), request.size());
    if (text.empty() || text[0] != '\x01') continue;  // an unsubscription: interest follows the control link
    const auto asked = parse_marker(text.substr(1));
    if (!asked) continue;
    if (route_guards_) route_guards_->guard(route).keep(request);
    // What nobody claims goes first: a flood must not keep out the marker of a peer whose hello is on its way.
    if (markers_.size() == unclaimed_markers_max) markers_.erase(markers_.begin());
    markers_.push_back({route, *asked});
  }
  offer_markers();
  return moved;
}

void session::watch_connections() {
  // Asking costs system calls, which the round trip of a lone message must not pay for; but a thread that never sleeps
  // is never told that something came. The guard looks at the kernel, whose time no test sets.
  const auto now = base::steady_clock().now();
  const bool due = control_guard_ && (now - last_watch_ >= watch_interval || now >= control_guard_->next_timer());
  if (control_guard_ && (std::exchange(connections_stirred_, false) || due)) {
    last_watch_ = now;
    connections_cut_.fetch_add(control_guard_->work(), std::memory_order_relaxed);
  }
  if (connections_cut_.load(std::memory_order_relaxed) == 0) return;
  rejected_ += connections_cut_.exchange(0, std::memory_order_acquire) - 1;  // reject_input counts one
  reject_input("control or data endpoint", "more bytes than messages, too many connections or topics, or silence");
}

void session::offer_markers() {
  // A marker may overtake the hello that says whose it is: it stays until somebody claims it.
  std::erase_if(markers_, [this](const unclaimed_marker& each) {
    return std::any_of(peers_.begin(), peers_.end(), [&](const auto& p) {
      return p->talk.on_marker(each.route, each.what.incarnation, each.what.revision);
    });
  });
}

void session::connect(peer& to, base::time_point now) {
  to.dealer = zmq::socket_t(context_, zmq::socket_type::dealer);
  prepare_control(to.dealer);
  use_proxy(to.dealer, options_.socks_proxy);
  to.dealer.connect(to.endpoint);
  to.talk.on_connected(now);
  perform(to, now);
}

void session::perform(peer& of, base::time_point now) {
  for (const link_action& each : of.talk.take_actions()) {
    std::visit([&](const auto& what) { perform_one(of, what, now); }, each);
  }
}

void session::perform_one(peer& of, const send_control& what, base::time_point) {
  if (!of.connects) {
    if (!of.routing_id.empty()) send_to(of.routing_id, what.body);
    return;
  }
  const auto bytes = encode({host_.incarnation(), what.body});
  static_cast<void>(of.dealer.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::dontwait));
}

void session::perform_one(peer& of, const reopen&, base::time_point now) { connect(of, now); }

void session::perform_one(peer& of, const open_data& what, base::time_point now) {
  perform_one(of, close_data{}, now);
  of.goodbyes.clear();
  auto came_so_far = std::exchange(of.came_so_far, {});
  came_so_far.resize(what.endpoints.size());
  for (std::size_t route = 0; route != what.endpoints.size(); ++route) {
    zmq::socket_t socket(context_, zmq::socket_type::sub);
    prepare_subscribing(socket, settings_.message_size_max_bytes, options_.pipe_max_bytes, blocks(route));
    use_proxy(socket, options_.socks_proxy);
    try {
      socket.connect(what.endpoints[route]);
    } catch (const zmq::error_t&) {
      reject_input(of.talk.peer_process(), "a data endpoint in its hello that is none");
    }
    inbound::settings with{of.talk.peer_process(), of.talk.peer_incarnation(), settings_.peer_stall_max,
                           options_.faults};
    inbound::callbacks call{[&of](std::string_view topic) { return announced_by(of.talk, topic); },
                            [&of, route](std::uint64_t revision) { of.talk.on_sync(route, revision); },
                            [this, &of, route] {
                              if (!of.goodbyes.insert(route).second || of.goodbyes.size() != of.data.size()) return;
                              of.talk.on_data_goodbye(host_.clock().now());
                            }};
    of.data.push_back(std::make_unique<inbound>(std::move(socket), std::move(with), std::move(call), host_,
                                                std::move(came_so_far[route])));
  }
  subscribe(of);
}

void session::perform_one(peer& of, const close_data&, base::time_point) {
  if (of.data.empty()) return;
  of.came_so_far.clear();
  for (const auto& each : of.data) of.came_so_far.push_back(each->take_progress());
  of.data.clear();
}

void session::perform_one(peer& of, const set_interest& what, base::time_point) {
  const auto wanted_by_any = [&] {
    return std::any_of(peers_.begin(), peers_.end(), [&](const auto& p) { return p->wants.contains(what.topic); });
  };
  const bool before = wanted_by_any();
  what.wanted ? void(of.wants.insert(what.topic)) : void(of.wants.erase(what.topic));
  if (const bool after = wanted_by_any(); after != before) host_.set_remote_interest(what.topic, after);
}

void session::perform_one(peer& of, const set_pattern& what, base::time_point) {
  const auto wanted_by_any = [&] {
    return std::any_of(peers_.begin(), peers_.end(),
                       [&](const auto& p) { return p->wants_patterns.contains(what.what); });
  };
  const bool before = wanted_by_any();
  what.wanted ? void(of.wants_patterns.insert(what.what)) : void(of.wants_patterns.erase(what.what));
  const transport::pattern_info which{what.what.text, what.what.type_name, what.what.major};
  if (const bool after = wanted_by_any(); after != before) host_.set_remote_pattern(which, after);
}

void session::perform_one(peer&, const offer_topic& what, base::time_point) { host_.offer_topic(info_of(what.what)); }

void session::perform_one(peer&, const send_sync& what, base::time_point now) {
  if (what.route >= routes_.size()) return;
  routes_[what.route]->send_sync(marker_topic(what.incarnation, what.revision));
  // Its data path may be younger than our goodbye, for which the peer would wait in vain.
  if (said_goodbye_) routes_[what.route]->send_goodbye(now);
}

void session::perform_one(peer&, const tell& what, base::time_point) { host_.report(what.what); }

void session::perform_one(peer&, const fail_start& what, base::time_point) { host_.fail(what.why); }

void session::reject_input(const std::string& from, const char* why) {
  ++rejected_;
  const auto now = host_.clock().now();
  if (now < next_report_) return;
  next_report_ = now + report_interval;
  host_.report({event_kind::rejected_input, "", "", from, std::exchange(rejected_, 0),
                std::string(why) + ": something that is no Amphibus peer of this version talks to a control socket"});
}

}  // namespace amphibus::zeromq
