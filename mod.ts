/**
 * thrum: an activity network in a single file. Every connected client receives every published activity: once, in the
 * sender's order, and also after a connection or a server was lost. A heartbeat watches every connection.
 *
 * ```ts
 * import { connect, serve } from "./mod.ts";
 *
 * await using server = await serve({ server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } });
 * await using client = await connect({ host: server.host, port: server.port });
 * await client.publish({ text: "Hello, there" });
 * for await (const { user, activity } of client.activities()) {
 *   console.log(user, activity);
 *   break;
 * }
 * ```
 *
 * @module
 */

export { connect } from "./client/connect.ts";
export { ConnectError, ConnectionEndedError, RefusedError, TraceFileError } from "./client/errors.ts";
export type {
  ActivitiesOptions,
  CallOptions,
  HistoryOptions,
  PresenceOptions,
  PublishOptions,
} from "./client/calls/call_options.ts";
export type {
  Activity,
  Client,
  ClientEvent,
  CloseInfo,
  ConnectOptions,
  Message,
  Past,
  Presence,
  Published,
  Sent,
  TlsOptions,
} from "./client/options.ts";
export type { ReconnectPolicy } from "./client/failover/reconnect.ts";
export type { Endpoint } from "./platform/address.ts";
export { DoorError } from "./server/gateway/door.ts";
export { type DoorAddress, serve, type ServeOptions, type Server } from "./server/gateway/serve.ts";
export type { NodeEnd } from "./server/node/node.ts";
export type { TakenActivities } from "./server/observe/taken_activities.ts";
export type { ActivityView } from "./view/network_view.ts";
export type {
  AuditConfig,
  ClusterConfig,
  Config,
  ConfigLayer,
  DoorTlsConfig,
  GatewayConfig,
  GrpcBroadcasts,
  GrpcGatewayConfig,
  HeartbeatConfig,
  HttpGatewayConfig,
  LimitsConfig,
  LogConfig,
  PartOf,
  SessionsConfig,
  StoreConfig,
  TlsConfig,
} from "./config/config.ts";
export type { AuthConfig, RightsRule, RoleRule } from "./config/auth/auth_config.ts";
export type { ChannelRetention } from "./config/store/channel_retention.ts";
export { ConfigError } from "./config/load.ts";
export { StoreError } from "./server/store/store.ts";
export type { Vector } from "./log/vector.ts";
export { CLOSE_REASONS, type CloseReason, type CloseReasonRow, type ReconnectAdvice } from "./protocol/close_reason.ts";
export { type Feature, FEATURES, type WireGap, type WireHeartbeat } from "./protocol/message.ts";
export type { UserScope } from "./protocol/presence/presence_message.ts";
export { VERSION } from "./protocol/version.ts";
