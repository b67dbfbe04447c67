#include <alone_amphibus.h>
#include <orders_amphibus.h>
#include <refunds_amphibus.h>

#include <type_traits>

// Each table has its codec once, from the schema that declares it; topics know their codecs.
static_assert(amphibus::has_codec<shop::OrderT> && amphibus::has_codec<shop::parts::ItemT> &&
              amphibus::has_codec<shop::RefundT> && amphibus::has_codec<AloneT>);
static_assert(shop::order_topic.name() == "shop.orders");
static_assert(amphibus::wire::table_traits<shop::Order>::topic == shop::order_topic.name());
static_assert(shop::order_topic.codec()->type_name == "shop.Order");
static_assert(std::is_same_v<decltype(shop::OrderT::paid), std::unique_ptr<shop::Money>>);

// Two schemas, two embedded binaries; within one file they are shared.
static_assert(amphibus::codec<AloneT>::binary_schema != amphibus::codec<shop::OrderT>::binary_schema);
static_assert(amphibus::codec<shop::OrderT>::binary_schema.data() ==
              amphibus::codec<shop::LineT>::binary_schema.data());
