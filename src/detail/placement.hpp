#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <amphibus/config/config.hpp>
#include <amphibus/detail/bus_core.hpp>
#include <amphibus/transport/transport.hpp>

#include "detail/egress_queue.hpp"

namespace amphibus::detail {

class ingress_port;

/// The bus as one transport sees it: its routes, their egresses, the ingresses of its topics.
class transport_host final : public transport::host {
 public:
  transport_host(bus_core& core, transport::transport& which, std::vector<std::size_t> routes);
  ~transport_host();

  [[nodiscard]] std::uint64_t incarnation() const noexcept override { return core_.incarnation(); }
  [[nodiscard]] base::clock& clock() const noexcept override { return core_.clock(); }
  [[nodiscard]] std::vector<transport::topic_info> topics() const override;
  [[nodiscard]] std::vector<transport::pattern_info> patterns() const override;
  [[nodiscard]] std::vector<transport::group_info> groups() const override;
  [[nodiscard]] transport::egress& egress_of(std::size_t route) override { return *egresses_[route]; }
  void offer_topic(const transport::topic_info& of_peer) override;
  [[nodiscard]] transport::ingress* find_ingress(const transport::topic_info& of_peer) override;
  void set_remote_interest(std::string_view topic, bool wanted) override;
  void set_remote_pattern(const transport::pattern_info& which, bool wanted) override;
  void report(const event& what) override { core_.report(what); }
  void count_bytes(std::uint64_t sent, std::uint64_t received) noexcept override;
  void set_all_peers_ready(bool ready) override;
  void fail(error why) override;

  void add_route(std::unique_ptr<egress_queue> made) { egresses_.push_back(std::move(made)); }
  /// Opens the session. Throws: error of the transport.
  void open(transport::settings with);
  [[nodiscard]] transport::session* session() noexcept { return session_.get(); }
  void place(topic_core& created, std::size_t file_route);
  [[nodiscard]] const transport::transport& carrier() const noexcept { return transport_; }
  [[nodiscard]] bool carries(std::size_t file_route) const noexcept;
  [[nodiscard]] bool carries(const topic_core& topic) const noexcept;
  std::vector<std::string> close(base::time_point deadline);
  [[nodiscard]] wire_counters bytes() const noexcept;
  /// Before wait_until_ready(): forgets an earlier answer and asks the session.
  void start_confirming();
  /// Waits for readiness. Returns: the error that prevents it, e.g. not_ready naming who is missing.
  std::optional<error> wait_until_ready(base::time_point deadline);
  void collect(std::vector<std::pair<std::string, std::shared_ptr<queue::inbox_base>>>& out) const;

 private:
  class ingress_waker final : public queue::space_listener {
   public:
    void space_available() noexcept override;
    std::atomic<transport::waker*> waker{nullptr};
  };

  /// Whether a peer wants the topic, by name or by pattern. Under mutex_, so that answers are applied in order.
  void apply_interest(topic_core& to) const;

  bus_core& core_;
  transport::transport& transport_;
  const std::vector<std::size_t> routes_;  // positions in the file
  std::vector<std::shared_ptr<egress_queue>> egresses_;
  std::map<std::string, std::unique_ptr<ingress_port>, std::less<>> ingresses_;
  std::atomic<std::uint64_t> sent_bytes_{0};
  std::atomic<std::uint64_t> received_bytes_{0};
  mutable std::mutex mutex_;
  std::set<std::string, std::less<>> wanted_;  // by a peer, known here or not
  std::set<transport::pattern_info> wanted_patterns_;
  bool ready_ = false;
  std::optional<error> failed_;
  base::parker changed_;
  ingress_waker waker_;
  std::unique_ptr<transport::session> session_;
};

/// What the configuration makes of a bus: routes to transports, sessions, readiness.
class placement final : public remote_links {
 public:
  placement(bus_core& core, const config::configuration& from, std::string process,
            const std::vector<std::unique_ptr<transport::transport>>& transports);
  /// The same, and keeps the transports.
  placement(bus_core& core, const config::configuration& from, std::string process,
            std::vector<std::unique_ptr<transport::transport>>&& transports);

  void place(topic_core& created) override;
  [[nodiscard]] queue::retain_rule retained(std::string_view topic, const queue::retain_rule& asked) const override;
  void topics_changed() noexcept override;
  void collect(std::vector<std::pair<std::string, std::shared_ptr<queue::inbox_base>>>& egresses) const override;
  std::vector<std::string> close(base::time_point deadline) override;

  /// Checks levels and endpoints of everything without opening a socket. Returns: every error.
  [[nodiscard]] std::vector<error> check() const;
  /// Opens every transport that a route uses. Throws: error.
  void open();
  /// Every module subscribed: confirm, then wait for the others. Returns: what prevents it.
  std::optional<error> wait_until_ready(base::time_point deadline) override;
  [[nodiscard]] wire_counters bytes() const noexcept override;

 private:
  [[nodiscard]] transport::settings settings_for(const transport::transport& which) const;

  bus_core& core_;
  const config::configuration config_;
  const std::string process_;
  std::vector<std::unique_ptr<transport::transport>> kept_;
  std::vector<transport::transport*> transports_;
  std::vector<std::unique_ptr<transport_host>> hosts_;  // one per transport in use, in order of transports_
};

}  // namespace amphibus::detail
