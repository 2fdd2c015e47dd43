import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// srmap needs nothing here. The headers give it threads, in development and in `vite preview`; on your server, send them too.
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

export default defineConfig({ plugins: [react()], server: { headers }, preview: { headers } });
