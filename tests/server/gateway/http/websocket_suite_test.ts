/** What holds for clients over TCP holds over WebSockets: the same tests, through the other door. */

import "../../session/bad_input_test.ts?over=websocket";
import "../../session/clients_test.ts?over=websocket";
import "../../session/half_close_test.ts?over=websocket";
import "../../session/resume_test.ts?over=websocket";
import "../../session/rights_test.ts?over=websocket";
import "../../session/supervision_test.ts?over=websocket";
