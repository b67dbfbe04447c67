// One program, in one process or in several: only the file after --config decides.
#include <amphibus/app.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "sensors.hpp"
#include "watch.hpp"

int main(int argc, char** argv) {
  amphibus::app program{argc, argv};
  program.transport(amphibus::zeromq::transport());
  program.module("sensors", my_project_app::start_sensors);
  program.module("watch", my_project_app::start_watch);
  return program.run();
}
