#include "connection_guard.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <amphibus/base/error.hpp>
#include <amphibus/base/ids.hpp>

namespace amphibus::zeromq {
namespace {

constexpr std::size_t greeting_size_bytes = 1'024;               // ZMTP's own: signature, mechanism, properties
constexpr std::size_t quiet_max_bytes = std::size_t{64} << 10U;  // held: nothing to be restless about
constexpr int arrivals_per_turn = 64;
constexpr int events_per_turn = 64;  // who connects without end must not keep everything else waiting
constexpr auto restless_interval = std::chrono::milliseconds(20);  // at 1 GiB/s 20 MiB
constexpr auto rest_interval = std::chrono::seconds(10);
constexpr auto end_interval = std::chrono::seconds(1);  // in which libzmq closes what was cut, as a rule

/// The port that this end of a tcp connection has; 0 for anything else.
int own_port(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

std::uint64_t bytes_that_came(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

/// A number that no other socket of this system has had; 0 where there is no socket.
std::uint64_t identity_of(int descriptor) {
  std::uint64_t out = 0;
  socklen_t size = sizeof out;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &out, &size) == 0 ? out : 0;
}

int port_of(const std::string& endpoint) {
  int port = 0;
  const auto colon = endpoint.rfind(':') + 1;
  std::from_chars(endpoint.data() + colon, endpoint.data() + endpoint.size(), port);
  return port;
}

}  // namespace

connection_guard::connection_guard(zmq::context_t& context, zmq::socket_t& listening, guard_limits with,
                                   base::clock& clock)
    : listening_(listening),
      events_(context, zmq::socket_type::pair),
      limits_(with),
      clock_(clock),
      arrivals_(::epoll_create1(EPOLL_CLOEXEC)),
      spare_(::fcntl(arrivals_, F_DUPFD_CLOEXEC, 0)),
      last_look_(clock.now()) {
  if (spare_ < 0) {
    ::close(arrivals_);
    throw error(error_code::out_of_descriptors, "the system gives this process no further file descriptor",
                "raise the limit of open files (ulimit -n)", {"zeromq"});
  }
  listening_port_ = port_of(listening.get(zmq::sockopt::last_endpoint));
  const std::string address = "inproc://guard-" + std::to_string(base::random_nonzero());
  if (zmq_socket_monitor(listening.handle(), address.c_str(), ZMQ_EVENT_ACCEPTED) != 0) {
    ::close(spare_);
    ::close(arrivals_);
    throw zmq::error_t();
  }
  events_.set(zmq::sockopt::linger, 0);
  events_.set(zmq::sockopt::rcvhwm, 0);  // an event that libzmq dropped would leave a connection unwatched
  events_.connect(address);
}

connection_guard::~connection_guard() {
  zmq_socket_monitor(listening_.handle(), nullptr, 0);  // first: libzmq waits for ever for somebody to take an event
  ::close(spare_);
  ::close(arrivals_);
}

void connection_guard::count_taken(const zmq::message_t& last_frame, std::size_t wire_size_bytes) {
  const std::lock_guard lock(mutex_);
  if (connection* const from = find(last_frame)) from->taken_bytes += wire_size_bytes;
}

void connection_guard::count_subscription(const zmq::message_t& request) {
  const std::string_view text(request.data<char>(), request.size());
  if (text.empty() || (text[0] != '\0' && text[0] != '\x01')) return;  // no request: an XPUB hands out anything
  const std::lock_guard lock(mutex_);
  connection* const from = find(request);
  if (from == nullptr) return;
  const std::string_view topic = text.substr(1);
  const std::uint64_t cost = topic.size() * limits_.cost_per_byte + limits_.cost_per_subscription;
  if (text[0] == '\x01') {
    if (from->subscriptions.emplace(topic).second) from->subscribed_bytes += cost;
  } else if (const auto known = from->subscriptions.find(topic); known != from->subscriptions.end()) {
    from->subscriptions.erase(known);
    from->subscribed_bytes -= cost;
  }
}

void connection_guard::keep(const zmq::message_t& received) {
  const std::lock_guard lock(mutex_);
  if (connection* const from = find(received)) from->kept = true;
}

int connection_guard::arrivals() const {
  const std::lock_guard lock(mutex_);
  return restless_ ? -1 : arrivals_;
}

std::size_t connection_guard::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

base::time_point connection_guard::next_timer() const {
  const std::lock_guard lock(mutex_);
  if (connections_.empty()) return base::time_point::max();
  const auto next_look = last_look_ + (restless_ ? base::duration(restless_interval) : base::duration(rest_interval));
  return std::min(next_look, first_silence_);
}

std::size_t connection_guard::work() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  hear();
  if (now >= first_silence_) end_the_silent(now);
  std::array<epoll_event, arrivals_per_turn> arrived;
  if (::epoll_wait(arrivals_, arrived.data(), arrivals_per_turn, 0) > 0) restless_ = true;
  if (now - last_look_ >= (restless_ ? base::duration(restless_interval) : base::duration(rest_interval))) look(now);
  return std::exchange(cut_, 0);
}

connection_guard::connection* connection_guard::find(const zmq::message_t& received) {
  const int descriptor = zmq_msg_get(received.handle(), ZMQ_SRCFD);
  if (descriptor < 0) return nullptr;
  const auto found = connections_.find(descriptor);
  if (found != connections_.end() && identity_of(descriptor) == found->second.identity) return &found->second;
  return accept(descriptor);
}

void connection_guard::hear() {
  zmq::message_t what;
  for (int i = 0; i != events_per_turn && events_.recv(what, zmq::recv_flags::dontwait); ++i) {
    zmq::message_t address;
    static_cast<void>(events_.recv(address, zmq::recv_flags::dontwait));
    std::uint16_t kind = 0;
    std::int32_t descriptor = -1;
    if (what.size() != sizeof kind + sizeof descriptor) continue;
    std::memcpy(&kind, what.data(), sizeof kind);
    std::memcpy(&descriptor, what.data<char>() + sizeof kind, sizeof descriptor);
    if (kind == ZMQ_EVENT_ACCEPTED) accept(descriptor);
  }
}

connection_guard::connection* connection_guard::accept(int descriptor) {
  connection made;
  made.identity = identity_of(descriptor);
  made.since = clock_.now();
  const auto known = connections_.find(descriptor);
  if (known != connections_.end() && known->second.identity == made.identity) return &known->second;
  // The connection may have ended meanwhile, and its number be that of anything else in this process.
  if (made.identity == 0 || own_port(descriptor) != listening_port_) return nullptr;
  epoll_event wanted{};
  // Writable, too: an edge is told only while its condition lasts, and libzmq may read before we ask.
  wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  ::epoll_ctl(arrivals_, EPOLL_CTL_ADD, descriptor, &wanted);  // ends with the connection
  if (identity_of(descriptor) != made.identity) {
    ::epoll_ctl(arrivals_, EPOLL_CTL_DEL, descriptor, nullptr);
    return nullptr;
  }
  if (known != connections_.end()) connections_.erase(known);
  if (connections_.size() >= limits_.connections_max && made.since - last_look_ >= restless_interval) {
    look(made.since);  // some may have ended
  }
  const bool too_many = connections_.size() >= limits_.connections_max;
  connection& added = connections_.emplace(descriptor, std::move(made)).first->second;
  restless_ = true;
  if (limits_.silence_max != base::duration::max())
    first_silence_ = std::min(first_silence_, added.since + limits_.silence_max);
  if (too_many) end(descriptor, added);
  return &added;
}

void connection_guard::end_the_silent(base::time_point now) {
  first_silence_ = base::time_point::max();
  for (auto& [descriptor, each] : connections_) {
    if (each.kept || each.cut_at) continue;
    const auto due = each.since + limits_.silence_max;
    if (now >= due) {
      end(descriptor, each);
    } else {
      first_silence_ = std::min(first_silence_, due);
    }
  }
}

void connection_guard::look(base::time_point now) {
  // Rounded down: a second's worth at every look would hide who drips.
  const double seconds = std::chrono::duration<double>(now - last_look_).count();
  const auto heartbeats = static_cast<std::uint64_t>(static_cast<double>(limits_.heartbeat_bytes_per_second) * seconds);
  last_look_ = now;
  restless_ = false;
  for (auto each = connections_.begin(); each != connections_.end();) {
    auto& [descriptor, of] = *each;
    if (identity_of(descriptor) != of.identity) {
      each = connections_.erase(each);
      continue;
    }
    const std::uint64_t before = of.came_bytes;
    of.came_bytes = std::max(before, bytes_that_came(descriptor));
    of.taken_bytes = std::min(of.taken_bytes, of.came_bytes);
    // No more than nothing else explains: it is no credit for later.
    of.heartbeat_bytes = std::min(of.heartbeat_bytes + heartbeats, of.came_bytes - of.taken_bytes);
    const std::uint64_t held = held_by(of);
    restless_ |= of.came_bytes != before && held > quiet_max_bytes;
    if (held > limits_.held_max_bytes) end(descriptor, of);
    restless_ |= of.cut_at && now - *of.cut_at < end_interval;
    ++each;
  }
  end_the_largest();
}

void connection_guard::end_the_largest() {
  for (;;) {
    std::uint64_t sum = 0;
    auto largest = connections_.end();
    for (auto each = connections_.begin(); each != connections_.end(); ++each) {
      if (each->second.cut_at) continue;
      const std::uint64_t held = held_by(each->second);
      sum += held;
      if (largest == connections_.end() || held > held_by(largest->second)) largest = each;
    }
    if (sum <= limits_.held_sum_max_bytes) return;
    end(largest->first, largest->second);
  }
}

std::uint64_t connection_guard::held_by(const connection& which) const {
  const auto explained = which.taken_bytes + which.heartbeat_bytes + greeting_size_bytes;
  const auto unread = which.came_bytes <= explained ? 0 : which.came_bytes - explained;
  return which.subscribed_bytes + unread * limits_.cost_per_byte;
}

void connection_guard::end(int descriptor, connection& which) {
  if (which.cut_at) return;
  restless_ = true;
  // Our own second descriptor of it: while that is open, what it names cannot become another connection.
  if (::dup3(descriptor, spare_, O_CLOEXEC) == spare_ && identity_of(spare_) == which.identity) {
    // libzmq sees the end, drops what is unfinished and closes; the reset then frees a sender that waits for room.
    constexpr linger at_once{1, 0};
    ::setsockopt(spare_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::shutdown(spare_, SHUT_RDWR);
    ++cut_;
  }
  ::dup3(arrivals_, spare_, O_CLOEXEC);  // while it is open, the kernel does not end the connection
  which.cut_at = clock_.now();
}

}  // namespace amphibus::zeromq
