// The generated plugin.c wants an object file that carries the contract's world. `leasehold plugin build` writes the world
// into the module itself, so that all there is to link is this name.
void __component_type_object_force_link_plugin(void) {}
