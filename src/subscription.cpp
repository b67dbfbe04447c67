#include <amphibus/subscription.hpp>

#include <utility>

#include <amphibus/base/assert.hpp>

namespace amphibus {

subscription::subscription() noexcept = default;

subscription::subscription(std::shared_ptr<detail::subscriber_base> subscriber) noexcept
    : subscriber_(std::move(subscriber)) {}

subscription::subscription(subscription&& other) noexcept = default;

subscription& subscription::operator=(subscription&& other) noexcept {
  if (this != &other) {
    end();
    subscriber_ = std::move(other.subscriber_);
  }
  return *this;
}

subscription::~subscription() { end(); }

void subscription::end() {
  if (const auto ending = std::exchange(subscriber_, nullptr)) ending->end();
}

subscription::operator bool() const noexcept { return subscriber_ != nullptr; }

subscription_counters subscription::counters() const {
  AMPHIBUS_ASSERT(subscriber_, "counters() of a subscription that ended or was moved from: ask before");
  return subscriber_->counters();
}

const std::string& subscription::name() const {
  AMPHIBUS_ASSERT(subscriber_, "name() of a subscription that ended or was moved from: keep a copy");
  return subscriber_->name();
}

}  // namespace amphibus
