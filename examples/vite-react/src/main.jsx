import { createRoot } from "react-dom/client";
import { Explain } from "./explain.jsx";

createRoot(document.getElementById("root")).render(<Explain />);
