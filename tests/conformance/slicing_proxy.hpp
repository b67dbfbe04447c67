#pragma once

#include <cstdint>
#include <list>
#include <random>
#include <string>
#include <vector>

/// A SOCKS5 proxy on loopback that forwards every byte, but in slices of random sizes: what is read by one recv there
/// takes many here, with boundaries anywhere in frames and headers.
///
/// A child process and not a thread, because cases fork and start threads in the child, which ThreadSanitizer allows
/// only where the parent has none. Make it first. Bounded: 64 KiB per connection and direction, then it stops reading.
/// Lifetime: outlives its users; ends with this process at the latest.
class slicing_proxy {
 public:
  /// The same seed slices the same stream alike; with several connections their timing still differs.
  explicit slicing_proxy(std::uint64_t seed);
  ~slicing_proxy();
  slicing_proxy(const slicing_proxy&) = delete;
  slicing_proxy& operator=(const slicing_proxy&) = delete;

  /// `127.0.0.1:PORT`
  [[nodiscard]] const std::string& address() const noexcept { return address_; }

 private:
  struct direction {
    int from = -1;
    int to = -1;
    std::vector<char> waiting;
    std::size_t begin = 0;  // of waiting
    std::uint64_t forwarded = 0;
    bool ended = false;   // no more from `from`
    bool closed = false;  // and everything of it is forwarded
  };
  struct connection {
    int client = -1;
    int server = -1;
    std::vector<char> request;  // until the handshake is over
    direction out;
    direction back;
    bool broken = false;
  };

  void run();
  void accept_one();
  void work(connection& of);
  /// Answers what came so far of greeting and request. Returns: false if it is no SOCKS5 that we speak.
  bool handshake(connection& of);
  bool connect_to(connection& of, const char* address, const char* port);
  void read_some(direction& of);
  void forward_slice(direction& of);
  std::size_t slice_of(const direction& of);
  static void close(connection& of);

  int listener_ = -1;
  int alive_[2] = {-1, -1};  // a pipe that nobody writes to: its end is the end
  int child_ = -1;
  std::string address_;
  std::mt19937_64 random_;
  std::list<connection> connections_;
};
