#include <amphibus/zeromq/zeromq.hpp>

#include "session.hpp"

namespace amphibus::zeromq {
namespace {

class zeromq_transport final : public amphibus::transport::transport {
 public:
  explicit zeromq_transport(const options& with) : options_(with) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "zeromq"; }
  [[nodiscard]] amphibus::transport::capabilities capabilities() const override {
    return {.levels = {amphibus::transport::level::best_effort},
            .ordered_per_source = true,
            .lossless_while_connected = true,
            .free_of_duplicates = true,
            .counts_losses = true,
            .paces_publishers = true,
            .separates_routes = true,
            .ready_means_joined = true,
            .finds_topics = true,
            .message_size_max_bytes = std::size_t{1} << 30U};
  }
  [[nodiscard]] std::vector<error> check(const amphibus::transport::settings& with) const override {
    std::vector<error> out;
    const auto look = [&](const std::string& text, bool any_network) {
      if (auto parsed = parse_endpoint(text, any_network); !parsed) out.push_back(parsed.error());
    };
    look(with.endpoint, options_.allow_plain_network);
    for (const auto& each : with.peers) look(each.endpoint, true);
    if (auto wrong = check_routes(with.routes.size())) out.push_back(*std::move(wrong));
    if (auto wrong = check_proxy(options_.socks_proxy)) out.push_back(*std::move(wrong));
    if (auto wrong = check_pipe(options_.pipe_max_bytes)) out.push_back(*std::move(wrong));
    return out;
  }
  [[nodiscard]] result<std::unique_ptr<amphibus::transport::session>> open(
      amphibus::transport::settings with, amphibus::transport::host& to_host) override {
    try {
      return std::unique_ptr<amphibus::transport::session>(
          std::make_unique<session>(std::move(with), options_, to_host));
    } catch (const error& why) {
      return why;
    } catch (const zmq::error_t& why) {
      return error(error_code::endpoint_invalid, std::string("ZeroMQ cannot open its sockets: ") + why.what(),
                   "check the endpoints of the file and the limit of open files", {"zeromq"});
    }
  }

 private:
  const options options_;
};

}  // namespace

std::unique_ptr<amphibus::transport::transport> transport(const options& with) {
  return std::make_unique<zeromq_transport>(with);
}

}  // namespace amphibus::zeromq
