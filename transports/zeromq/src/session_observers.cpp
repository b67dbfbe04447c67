// Observers of a session: who looks on at what leaves this process.
#include <algorithm>

#include "session.hpp"

namespace amphibus::zeromq {
namespace {

constexpr int taps_max = 100;  // the path of an ipc endpoint has room for two digits

}  // namespace

bool session::receive_observer(const std::string& id, const control_message& message, base::time_point now) {
  if (!observers_.concerns(id, message)) return false;
  if (const auto answer = observers_.on_message(now, id, message)) send_to(id, *answer);
  show_batches();
  return true;
}

void session::forget_observers(base::time_point now) {
  observers_.on_timer(now);
  show_batches();
}

void session::show_batches() {
  for (const auto& each : routes_) each->show_on(observers_.tap());
}

tap_socket session::open_tap() {
  zmq::socket_t socket(context_, zmq::socket_type::pub);
  harden(socket, subscription_size_max_bytes);
  socket.set(zmq::sockopt::sndhwm, tap_frames_max);
  cut_stopped_peers(socket, settings_.peer_stall_max);
  // A path of its own each time: libzmq removes the file of a closed socket later, and it must not be that of the next.
  std::string endpoint = bind_beside(socket, control_, advertised_, "tap" + std::to_string(taps_opened_++ % taps_max));
  std::unique_ptr<guard_thread> guards;
  if (!control_.ipc) {
    std::vector<std::unique_ptr<connection_guard>> one;
    one.push_back(guard_publishing(socket, base::duration::max()));
    guards = start_guards(std::move(one));
  }
  return {std::move(socket), std::move(endpoint), std::move(guards)};
}

described session::describe_topic(const std::string& topic) const {
  const auto known =
      std::lower_bound(own_.topics.begin(), own_.topics.end(), topic,
                       [](const control_topic& each, const std::string& name) { return each.name < name; });
  if (known == own_.topics.end() || known->name != topic) return {topic, "", 0, 0, ""};
  described out{topic, known->type_name, known->major, known->schema_hash, ""};
  const auto schema = schemas_.find(known->type_name);
  if (schema != schemas_.end() && schema->second.size() <= control_schema_size_max_bytes) {
    out.binary_schema = schema->second;
  }
  return out;
}

}  // namespace amphibus::zeromq
