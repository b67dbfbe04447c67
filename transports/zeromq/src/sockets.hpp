#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

#include <amphibus/base/error.hpp>
#include <amphibus/transport/transport.hpp>

namespace amphibus::zeromq {

/// Where a batch is full. libzmq counts frames, so the high water mark of a pipe is its bytes divided by this.
///
/// Large where the route blocks, because each frame costs both processes system calls and wake-ups: 128 KiB give two
/// thirds of the small messages a second. Not where it drops, because frames of lone messages count the same.
[[nodiscard]] std::size_t batch_cap_bytes(std::size_t pipe_max_bytes, bool blocks) noexcept;
inline constexpr std::size_t batch_cap_least_bytes = 128U << 10U;
inline constexpr std::size_t batch_cap_most_bytes = 512U << 10U;

/// A topic of the wire is "name\0": libzmq matches prefixes, the NUL makes them whole names.
inline constexpr char marker_prefix = '\xff';  ///< sorts last: libzmq replays subscriptions in order at a reconnect
inline constexpr std::string_view goodbye_topic{"\xffgoodbye", 8};
/// Where the tap endpoint says what a topic is.
inline constexpr std::string_view description_prefix{"\xffs", 2};
std::string description_topic(std::string_view topic);

/// What to subscribe so that every topic reaches us that `pattern` covers; more than those may match.
std::vector<std::string> filters_of(std::string_view pattern);

std::string marker_topic(std::uint64_t incarnation, std::uint64_t revision);
struct marker {
  std::uint64_t incarnation = 0;
  std::uint64_t revision = 0;
};
std::optional<marker> parse_marker(std::string_view topic);

/// A control endpoint taken apart.
struct endpoint {
  bool ipc = false;
  std::string host;  ///< tcp
  int port = 0;      ///< tcp; 0: any
  std::string path;  ///< ipc
};
/// Returns: the endpoint or the error that says what is wrong.
result<endpoint> parse_endpoint(const std::string& text, bool allow_plain_network);

/// All that a publishing socket takes.
inline constexpr std::size_t subscription_size_max_bytes = 1'024;

/// Applies what every socket of ours needs: no linger, bounded handshake and size of what comes.
void harden(zmq::socket_t& socket, std::size_t frame_size_max_bytes);
/// A socket that connects goes through the proxy, where there is one. libzmq ignores it for ipc.
void use_proxy(zmq::socket_t& socket, const std::string& socks_proxy);
/// Returns: what is wrong with `HOST:PORT`, or nullopt.
std::optional<error> check_proxy(const std::string& socks_proxy);
/// Returns: what is wrong with that many routes, or nullopt: a peer would not understand our hello.
std::optional<error> check_routes(std::size_t count);
/// Returns: what is wrong with options::pipe_max_bytes, or nullopt.
std::optional<error> check_pipe(std::size_t pipe_max_bytes);
/// Both sides of the control path: harden(), and nothing that is sent is refused.
void prepare_control(zmq::socket_t& socket);
/// The data path: harden() and high water marks.
void prepare_publishing(zmq::socket_t& socket, std::size_t pipe_max_bytes, bool blocks);
void prepare_subscribing(zmq::socket_t& socket, std::size_t message_size_max_bytes, std::size_t pipe_max_bytes,
                         bool blocks);
/// The sending side: libzmq's own heartbeat cuts the pipe of a process that is stopped.
void cut_stopped_peers(zmq::socket_t& socket, std::chrono::nanoseconds peer_stall_max);
/// What the answers to that heartbeat take, at most.
std::uint64_t heartbeat_bytes_per_second(std::chrono::nanoseconds peer_stall_max);

/// Takes a lock that says that a live process owns this ipc path, because libzmq lets a second bind steal it.
class path_lock {
 public:
  path_lock() = default;
  /// Throws: error endpoint_in_use.
  explicit path_lock(const std::string& path);
  path_lock(path_lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  path_lock& operator=(path_lock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~path_lock();

 private:
  int descriptor_ = -1;
};

/// Binds a data endpoint beside the control endpoint: ipc PATH.NAME, or a free tcp port of the same host. Returns: what
/// others connect to, with the host of `advertised`.
std::string bind_beside(zmq::socket_t& socket, const endpoint& control, const endpoint& advertised,
                        const std::string& name);

}  // namespace amphibus::zeromq
