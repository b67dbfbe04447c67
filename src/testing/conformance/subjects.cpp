#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <amphibus/testing/conformance.hpp>

namespace amphibus::testing {
namespace {

class fresh_directory {
 public:
  fresh_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "amphibus-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::system_error(errno, std::generic_category(), pattern);
    path_ = pattern;
  }
  fresh_directory(const fresh_directory&) = delete;
  fresh_directory& operator=(const fresh_directory&) = delete;
  ~fresh_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string next() { return (path_ / std::to_string(next_.fetch_add(1))).string(); }

 private:
  std::filesystem::path path_;
  std::atomic<int> next_{0};
};

}  // namespace

subject in_process() {
  return {.name = "inproc",
          .title = "in one process",
          .promises = {.levels = {amphibus::transport::level::best_effort},
                       .ordered_per_source = true,
                       .lossless_while_connected = true,
                       .free_of_duplicates = true,
                       .counts_losses = true,
                       .paces_publishers = true,
                       .separates_routes = true,
                       .ready_means_joined = true,
                       .finds_topics = true,
                       .retains = true,
                       .message_size_max_bytes = SIZE_MAX},
          .make_transport = {},
          .make_endpoint = {}};
}

subject over(std::string name, std::function<std::unique_ptr<amphibus::transport::transport>()> make_transport,
             std::function<std::string()> make_endpoint, std::string title) {
  auto promises = make_transport()->capabilities();
  return {std::move(name), std::move(title), std::move(promises), std::move(make_transport), std::move(make_endpoint)};
}

std::string free_tcp_endpoint() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = probe >= 0 && ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  const int failure = errno;
  ::close(probe);
  if (!bound) throw std::system_error(failure, std::generic_category(), "no free tcp port");
  return "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

std::function<std::string()> fresh_ipc_endpoints() {
  return [directory = std::make_shared<fresh_directory>()] { return "ipc://" + directory->next(); };
}

}  // namespace amphibus::testing
