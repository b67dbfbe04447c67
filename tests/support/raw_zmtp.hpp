#pragma once

// A stranger on a listening socket: bytes as it likes, with just enough ZMTP 3.0 to get past libzmq's greeting.
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace support {

class stranger {
 public:
  /// Connects to tcp://127.0.0.1:PORT or ipc://PATH.
  explicit stranger(const std::string& endpoint) {
    const bool tcp = endpoint.starts_with("tcp://");
    socket_ = ::socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if ((tcp ? connect_tcp(endpoint) : connect_ipc(endpoint)) != 0) throw std::runtime_error("nobody at " + endpoint);
    const timeval patience{2, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  stranger(stranger&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  stranger& operator=(stranger&&) = delete;
  ~stranger() {
    if (socket_ >= 0) ::close(socket_);
  }

  /// Greets as a socket of this type with mechanism NULL, and waits for the answer: libzmq ends a connection whose
  /// first message comes together with the greeting.
  void greet(const std::string& type) {
    std::string greeting(64, '\0');
    greeting[0] = '\xff';
    greeting[9] = '\x7f';
    greeting[10] = '\x03';
    greeting.replace(12, 4, "NULL");
    const std::string ready = std::string("\x05READY\x0bSocket-Type\0\0\0", 21) + static_cast<char>(type.size()) + type;
    send(greeting + '\x04' + static_cast<char>(ready.size()) + ready);
    char answer[64 + 255];
    ::recv(socket_, answer, 64 + 2, MSG_WAITALL);
    ::recv(socket_, answer, static_cast<unsigned char>(answer[65]), MSG_WAITALL);
  }
  /// Waits for room. Returns: false once the other side has closed, or takes nothing for two seconds.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// Sends what there is room for. Returns: how much; -1 once the other side has closed.
  long send_some(std::string_view bytes) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 ? sent : errno == EAGAIN ? 0 : -1;
  }
  /// A frame with its length; `more`: the message goes on.
  static std::string frame(std::string_view body, bool more) {
    std::string out;
    if (body.size() <= 255) {
      out = {static_cast<char>(more ? 1 : 0), static_cast<char>(body.size())};
    } else {
      out = static_cast<char>(more ? 3 : 2);
      for (int shift = 56; shift >= 0; shift -= 8)
        out += static_cast<char>((body.size() >> static_cast<unsigned>(shift)) & 255U);
    }
    return out.append(body);
  }
  /// True when the kernel of the other side has everything, or has ended the connection (tcp).
  [[nodiscard]] bool arrived() const {
    int waiting = 0;
    ::ioctl(socket_, SIOCOUTQ, &waiting);
    tcp_info state{};
    socklen_t size = sizeof state;
    ::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &state, &size);
    return waiting == 0 || state.tcpi_state == TCP_CLOSE;
  }
  /// Blocks until the other side has closed; what it says meanwhile is thrown away.
  void wait_for_end() {
    char ignored[4096];
    while (::recv(socket_, ignored, sizeof ignored, 0) > 0) {
    }
  }

 private:
  int connect_tcp(const std::string& endpoint) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    return ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  int connect_ipc(const std::string& endpoint) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, endpoint.c_str() + 6, sizeof address.sun_path - 1);
    return ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }

  int socket_ = -1;
};

}  // namespace support
