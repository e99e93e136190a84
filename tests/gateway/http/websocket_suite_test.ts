/** What holds for clients over TCP holds over WebSockets: the same tests, through the other door. */

import "../../node/bad_input_test.ts?over=websocket";
import "../../node/clients_test.ts?over=websocket";
import "../../node/resume_test.ts?over=websocket";
import "../../node/supervision_test.ts?over=websocket";
