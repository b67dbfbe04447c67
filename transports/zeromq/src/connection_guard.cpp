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

constexpr std::size_t greeting_size_bytes = 1'024;  // ZMTP's own: signature, mechanism, properties
constexpr int arrivals_per_turn = 64;

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

int port_of(const std::string& endpoint) {
  int port = 0;
  const auto colon = endpoint.rfind(':') + 1;
  std::from_chars(endpoint.data() + colon, endpoint.data() + endpoint.size(), port);
  return port;
}

}  // namespace

connection_guard::connection_guard(zmq::context_t& context, zmq::socket_t& listening, guard_limits with,
                                   base::time_point now)
    : listening_(listening),
      events_(context, zmq::socket_type::pair),
      limits_(with),
      arrivals_(::epoll_create1(EPOLL_CLOEXEC)),
      now_(now) {
  if (arrivals_ < 0) {
    throw error(error_code::out_of_descriptors, "the system gives this process no further file descriptor",
                "raise the limit of open files (ulimit -n)", {"zeromq"});
  }
  listening_port_ = port_of(listening.get(zmq::sockopt::last_endpoint));
  const std::string address = "inproc://guard-" + std::to_string(base::random_nonzero());
  if (zmq_socket_monitor(listening.handle(), address.c_str(), ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED) != 0) {
    ::close(arrivals_);
    throw zmq::error_t();
  }
  events_.set(zmq::sockopt::linger, 0);
  events_.set(zmq::sockopt::rcvhwm, 0);  // an event that libzmq dropped would leave a connection unwatched
  events_.connect(address);
}

connection_guard::~connection_guard() {
  zmq_socket_monitor(listening_.handle(), nullptr, 0);  // first: libzmq waits for ever for somebody to take an event
  while (!connections_.empty()) forget(connections_.begin()->first);
  ::close(arrivals_);
}

void connection_guard::count_taken(const zmq::message_t& last_frame, std::size_t wire_size_bytes) {
  if (connection* const from = find(last_frame)) from->taken_bytes += wire_size_bytes;
}

connection_guard::connection* connection_guard::find(const zmq::message_t& received) {
  const int descriptor = zmq_msg_get(received.handle(), ZMQ_SRCFD);
  auto found = connections_.find(descriptor);
  if (found == connections_.end() && descriptor >= 0) {
    hear();  // the message may be faster than the news of its connection
    found = connections_.find(descriptor);
  }
  return found == connections_.end() ? nullptr : &found->second;
}

template <class Size>
void connection_guard::end_the_largest(Size size_of, std::uint64_t most) {
  for (;;) {
    std::uint64_t sum = 0;
    connection* largest = nullptr;
    for (auto& [descriptor, each] : connections_) {
      if (each.cut) continue;
      sum += size_of(each);
      if (largest == nullptr || size_of(each) > size_of(*largest)) largest = &each;
    }
    if (sum <= most) return;
    end(*largest);
  }
}

std::uint64_t connection_guard::unread_of(const connection& which) const {
  const auto age = std::chrono::ceil<std::chrono::seconds>(now_ - which.since).count();
  const auto expected = which.taken_bytes + greeting_size_bytes +
                        limits_.heartbeat_bytes_per_second * static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0));
  return which.came_bytes <= expected ? 0 : which.came_bytes - expected;
}

void connection_guard::count_subscription(const zmq::message_t& request) {
  connection* const from = request.size() == 0 ? nullptr : find(request);
  if (from == nullptr) return;
  const std::uint64_t size = request.size() - 1;
  std::uint64_t& sum = from->subscribed_bytes;
  const std::uint64_t before = sum;
  sum = *request.data<char>() == '\x01' ? sum + size : sum - std::min(sum, size);
  if (sum > limits_.subscriptions_max_bytes) end(*from);
  subscribed_bytes_ += sum - before;  // wraps where it shrinks
  if (subscribed_bytes_ <= limits_.subscriptions_sum_max_bytes) return;
  end_the_largest([](const connection& of) { return of.subscribed_bytes; }, limits_.subscriptions_sum_max_bytes);
}

void connection_guard::keep(const zmq::message_t& received) {
  if (connection* const from = find(received)) from->kept = true;
}

base::time_point connection_guard::next_timer() const noexcept {
  auto earliest = base::time_point::max();
  if (limits_.silence_max == base::duration::max()) return earliest;
  for (const auto& [descriptor, each] : connections_) {
    if (!each.kept && !each.cut) earliest = std::min(earliest, each.since + limits_.silence_max);
  }
  return earliest;
}

void connection_guard::end_the_silent() {
  if (now_ < next_timer()) return;
  for (auto& [descriptor, each] : connections_) {
    if (!each.kept && now_ - each.since >= limits_.silence_max) end(each);
  }
}

std::size_t connection_guard::work(base::time_point now) {
  now_ = now;
  hear();
  end_the_silent();
  std::array<epoll_event, arrivals_per_turn> arrived;
  const int count = ::epoll_wait(arrivals_, arrived.data(), arrivals_per_turn, 0);
  for (int i = 0; i < count; ++i) {
    const auto found = connections_.find(arrived[static_cast<std::size_t>(i)].data.fd);
    if (found == connections_.end()) continue;
    connection& of = found->second;
    of.came_bytes = bytes_that_came(of.descriptor);
    of.taken_bytes = std::min(of.taken_bytes, of.came_bytes);
  }
  if (count > 0) end_the_largest([this](const connection& of) { return unread_of(of); }, limits_.unread_max_bytes);
  return std::exchange(cut_, 0);
}

void connection_guard::hear() {
  zmq::message_t what;
  while (events_.recv(what, zmq::recv_flags::dontwait)) {
    zmq::message_t address;
    static_cast<void>(events_.recv(address, zmq::recv_flags::dontwait));
    std::uint16_t kind = 0;
    std::int32_t descriptor = -1;
    if (what.size() != sizeof kind + sizeof descriptor) continue;
    std::memcpy(&kind, what.data(), sizeof kind);
    std::memcpy(&descriptor, what.data<char>() + sizeof kind, sizeof descriptor);
    kind == ZMQ_EVENT_ACCEPTED ? accept(descriptor) : forget(descriptor);
  }
}

void connection_guard::accept(int descriptor) {
  forget(descriptor);
  connection made;
  made.descriptor = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  // The connection may have ended meanwhile, and its number be that of anything else in this process.
  if (made.descriptor < 0 || own_port(made.descriptor) != listening_port_) return void(::close(made.descriptor));
  made.since = now_;
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLET;
  wanted.data.fd = descriptor;
  ::epoll_ctl(arrivals_, EPOLL_CTL_ADD, made.descriptor, &wanted);
  const auto added = connections_.emplace(descriptor, made).first;
  if (connections_.size() > limits_.connections_max) end(added->second);
}

void connection_guard::forget(int descriptor) {
  const auto found = connections_.find(descriptor);
  if (found == connections_.end()) return;
  // Closing alone does not: libzmq's own descriptor may be open still.
  ::epoll_ctl(arrivals_, EPOLL_CTL_DEL, found->second.descriptor, nullptr);
  ::close(found->second.descriptor);
  subscribed_bytes_ -= found->second.subscribed_bytes;
  connections_.erase(found);
}

void connection_guard::end(connection& which) {
  if (std::exchange(which.cut, true)) return;
  ::shutdown(which.descriptor, SHUT_RDWR);  // libzmq sees the end, and drops what is unfinished
  ++cut_;
}

}  // namespace amphibus::zeromq
