#include "support/endpoints.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

namespace support {
namespace {

int probe_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  // With port 0 a bind fails only when the machine has none left; the demo then says which endpoint it could not use.
  static_cast<void>(::bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address));
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  return ntohs(address.sin_port);
}

/// Each once: the system may well name one again that was just let go.
int free_port() {
  constexpr int attempts_max = 100;
  static std::set<int> given_out;
  for (int attempt = 0; attempt != attempts_max; ++attempt) {
    if (const int port = probe_port(); given_out.insert(port).second) return port;
  }
  return probe_port();  // nearly all were
}

}  // namespace

std::string free_endpoint(const std::string& like, const std::string& name, const std::string& directory) {
  if (like.starts_with("ipc://")) return "ipc://" + directory + "/" + name;
  return "tcp://127.0.0.1:" + std::to_string(free_port());
}

}  // namespace support
