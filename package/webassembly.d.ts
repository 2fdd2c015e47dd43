// Names of WebAssembly's objects for programs whose compiler settings have neither the DOM's declarations nor Node's; where
// those are loaded, these add nothing to them.
declare namespace WebAssembly {
  interface Module {}
  interface Memory {}
}
